// Runners outlive their worker, and a worker ends the runs of runners that died.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { endWorker, workplace } from './testing/workplace.ts';

const SAMPLE = { 'answer.txt': '41\n' };

test('a runner survives the kill of its worker and is adopted by the next one', async () => {
  await using place = await workplace(SAMPLE);
  const run = place.fake.add({
    agentCommand: ['sh', '-c', 'while [ ! -e ../../../../go ]; do sleep 0.05; done; echo 42 > answer.txt'],
  });
  const worker = place.worker();
  await place.fake.until('the agent at work', () => run.progress.some(({ iterations }) => iterations === 1));
  const runner = place.runnerOf(run.order.run);
  await endWorker(worker, 'SIGKILL');
  place.worker();
  await place.fake.until('the adoption', () => place.output().includes('looked after'));
  const other = place.fake.add({});
  assert.equal(place.runnerOf(run.order.run), runner);
  assert.equal(place.fake.claims.length, 1, 'the adopted run takes capacity');
  writeFileSync(path.join(place.stateDir, 'go'), '');
  await place.fake.until('the end of both', () => run.finish !== null && other.finish !== null);
  assert.equal(run.finish?.outcome, 'verified');
});

test('a runner that was killed is reported as lost, with all of its log, and its processes are ended', async () => {
  await using place = await workplace(SAMPLE);
  const run = place.fake.add({
    agentCommand: ['sh', '-c', 'echo before; setsid sleep 300 & env -i setsid sleep 301 & sleep 302'],
  });
  place.worker();
  await place.fake.until('the agent has spoken', () =>
    place.fake.events(run).some((event) => event.type === 'message' && event.text === 'before\n'),
  );
  process.kill(place.runnerOf(run.order.run)!, 'SIGKILL');
  await place.fake.until('the report', () => run.finish !== null);
  assert.equal(run.finish?.outcome, 'lost');
  assert.equal(run.finish.cause, 'platform');
  assert.match(run.finish.reason ?? '', /without a report/);
  assert.equal(place.fake.events(run).at(-1)?.type, 'error');
});

test('a run that ended while nobody listened is reported when the orchestrator is back, even if its runner is gone', async () => {
  await using place = await workplace(SAMPLE);
  const run = place.fake.add({
    agentCommand: ['sh', '-c', 'while [ ! -e ../../../../go ]; do sleep 0.05; done; echo 42 > answer.txt'],
  });
  const worker = place.worker();
  await place.fake.until('the agent at work', () => run.progress.some(({ iterations }) => iterations === 1));
  await endWorker(worker, 'SIGTERM');
  const runner = place.runnerOf(run.order.run)!;
  await place.fake.goAway();
  process.kill(runner, 'SIGTERM');
  await place.fake.until('the runner is gone', () => !alive(runner));
  await place.fake.comeBack();
  place.worker();
  await place.fake.until('the report', () => run.finish !== null);
  assert.equal(run.finish?.outcome, 'lost');
  assert.match(run.finish.reason ?? '', /told to end \(SIGTERM\)/);
});

test('what is no run in the state directory is removed, and a run that was never started is started', async () => {
  await using place = await workplace(SAMPLE);
  const run = place.fake.add({});
  const half = path.join(place.stateDir, 'runs', '7-1');
  const hidden = path.join(place.stateDir, 'runs', '.removed-8-1-4711');
  const unstarted = path.join(place.stateDir, 'runs', run.order.run);
  for (const directory of [half, hidden, unstarted]) mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(unstarted, 'order.json'), JSON.stringify(run.order));
  place.worker(0);
  await place.fake.until('the end of the run', () => run.finish !== null);
  assert.equal(run.finish?.outcome, 'no-change');
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
