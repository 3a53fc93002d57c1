// Runs that do not go as planned: the orchestrator away, cancel, deadline, a lost lease, agents that misbehave.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { FakeRun } from '../testing/fake-orchestrator.ts';
import { processesWith, workplace, type Workplace } from '../testing/workplace.ts';

const SAMPLE = { 'answer.txt': '41\n' };
const CHECK = [{ name: 'answer', command: 'grep -q 42 answer.txt' }];

async function atWork({ fake }: Workplace, run: FakeRun): Promise<void> {
  await fake.until('the agent at work', () => run.progress.some(({ iterations }) => iterations === 1));
}

async function ended({ fake }: Workplace, run: FakeRun, seconds = 30): Promise<void> {
  await fake.until('the end of the run', () => run.finish !== null, seconds);
}

test('a run goes on while the orchestrator is away, and no byte of its log is lost', async () => {
  await using place = await workplace(SAMPLE);
  const run = place.fake.add({
    agentCommand: ['sh', '-c', 'for i in $(seq 40); do echo line $i; sleep 0.1; done; echo 42 > answer.txt'],
    verify: CHECK,
  });
  place.worker();
  await atWork(place, run);
  await place.fake.goAway();
  await delay(3_000); // the outage itself
  await place.fake.comeBack();
  await ended(place, run);
  assert.equal(run.finish?.outcome, 'verified', run.finish?.reason);
  const lines = Array.from({ length: 40 }, (_, index) => `line ${index + 1}\n`).join('');
  assert.equal(place.fake.log(run, 'raw').toString(), lines);
});

test('a cancel ends a run within seconds, even with an agent that ignores SIGTERM', async () => {
  await using place = await workplace(SAMPLE);
  const run = place.fake.add({
    agentCommand: [
      'sh',
      '-c',
      'trap "" TERM; setsid sh -c "trap \\"\\" TERM; sleep 300" & while :; do sleep 300; done',
    ],
  });
  place.worker();
  await atWork(place, run);
  const asked = performance.now();
  place.fake.cancel(run);
  await ended(place, run);
  assert.ok(performance.now() - asked < 8_000, `took ${performance.now() - asked} ms`);
  assert.equal(run.finish?.outcome, 'cancelled');
});

test('a run that reaches its deadline ends as out of time', async () => {
  await using place = await workplace(SAMPLE);
  const run = place.fake.add({
    agentCommand: ['sleep', '300'],
    deadline: new Date(Date.now() + 3_000).toISOString(),
  });
  place.worker();
  await ended(place, run);
  assert.deepEqual([run.finish?.outcome, run.finish?.cause], ['out-of-time', 'out-of-time']);
});

test('a run whose fence is stale stops, and reports nothing', async () => {
  await using place = await workplace(SAMPLE);
  const run = place.fake.add({ agentCommand: ['sleep', '317'] });
  place.worker();
  await atWork(place, run);
  run.stale = true;
  await place.fake.until(
    'the runner is gone',
    () => place.runnerOf(run.order.run) === null && processesWith('sleep\u0000317').length === 0,
  );
  assert.equal(run.finish, null);
});

test('a runner that is cut off for too long stops by itself; the run is reported as lost when there is somebody to hear it', async () => {
  await using place = await workplace(SAMPLE);
  const run = place.fake.add({
    agentCommand: ['sleep', '300'],
    lease: { heartbeatSeconds: 0.2, leaseSeconds: 1, selfStopSeconds: 2, takesUsage: true },
  });
  place.worker();
  await atWork(place, run);
  const runner = place.runnerOf(run.order.run)!;
  await place.fake.goAway();
  await place.fake.until('the runner is gone', () => !processesWith(place.directory).includes(runner));
  await place.fake.comeBack();
  await ended(place, run);
  assert.equal(run.finish?.outcome, 'lost');
  assert.match(run.finish.reason ?? '', /has not answered for 2 s/);
});

test('an agent that says it succeeded and did not is found out, and its work is kept', async () => {
  await using place = await workplace(SAMPLE);
  const run = place.fake.add({
    agentCommand: ['sh', '-c', 'echo 43 > answer.txt; cat >&2; exit 0'],
    verify: CHECK,
  });
  place.worker();
  await ended(place, run);
  assert.deepEqual([run.finish?.outcome, run.finish?.cause, run.finish?.iterations], ['failed', 'agent', 2]);
  assert.match(
    run.finish?.reason ?? '',
    /after 2 iterations: answer \(failed; failed before the change too\)/,
  );
  assert.equal(run.finish?.headCommits[0]?.commit, place.fake.pushed(run));
});

test('a verify command that prints half a gigabyte fills neither memory nor log', async () => {
  await using place = await workplace(SAMPLE);
  const run = place.fake.add({
    agentCommand: ['sh', '-c', 'echo 42 > answer.txt'],
    verify: [{ name: 'loud', command: 'grep -q 42 answer.txt && yes | head -c 500000000' }],
  });
  place.worker();
  await atWork(place, run);
  const runner = place.runnerOf(run.order.run)!;
  let peak = 0;
  await place.fake.until(
    'the end of the run',
    () => {
      peak = Math.max(peak, peakMemory(runner));
      return run.finish !== null;
    },
    60,
  );
  assert.equal(run.finish?.outcome, 'verified');
  assert.ok(place.fake.log(run, 'events').length < 2_000_000);
  assert.ok(peak < 300, `${peak} MB`);
  assert.ok(
    place.fake.events(run).some((event) => event.type === 'notice' && /left out/.test(String(event.text))),
  );
});

test('an agent that fails is told with its own words', async () => {
  await using place = await workplace(SAMPLE);
  const run = place.fake.add({ agentCommand: ['sh', '-c', 'echo the model said no >&2; exit 3'] });
  place.worker();
  await ended(place, run);
  assert.deepEqual([run.finish?.outcome, run.finish?.cause], ['failed', 'agent']);
  assert.match(run.finish?.reason ?? '', /the model said no/);
});

test('a project that is not trusted is not run without isolation', async () => {
  await using place = await workplace(SAMPLE);
  const run = place.fake.add({ project: { id: 1, name: 'sample', trusted: false } });
  place.worker();
  await ended(place, run);
  assert.deepEqual([run.finish?.outcome, run.finish?.cause], ['failed', 'input']);
});

// In MB.
function peakMemory(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
