// Processes that stand still for longer than the lease and then go on (a suspended machine, a cut network that comes back): the
// database's clock alone decides what became of their runs, so a clock that jumps elsewhere is no other case than these.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { eventually, OWN_POSTGRES, startAppliance } from './appliance.ts';
import { completedOnce, nothingLeft, query } from './faults/invariants.ts';
import { pidsOf, signal } from './faults/victims.ts';
import type { Victim } from './faults/points.ts';

const appliance = await startAppliance(
  OWN_POSTGRES,
  'worker.concurrency=3',
  'limits.retries.lost=5',
  'lease.leaseSeconds=12',
);
after(() => appliance[Symbol.asyncDispose]());
const scene = { dataDir: appliance.dataDir, kept: path.join(appliance.directory, 'kept') };

/** Each run says that it began, by its name, and goes on when it may. */
const agent = (flag: string) =>
  `touch ${flag}.$AUTOCODE_RUN; while ! test -e ${flag}.go; do sleep 0.1; done; echo 42 > answer`;

/** A task whose first run has begun and waits. */
async function begun(name: string) {
  const flag = path.join(appliance.directory, `flag-${name}`);
  const origin = await appliance.project(name, { agent: agent(flag) });
  const task = await appliance.task(name);
  const hasBegun = async (attempt: number) =>
    await eventually(
      async () => existsSync(`${flag}.${task}-${attempt}`) || undefined,
      `run ${task}-${attempt} to begin`,
    );
  await hasBegun(1);
  return { task, origin, hasBegun, go: () => writeFileSync(`${flag}.go`, '') };
}

const pause = (victim: Victim, task: number): number[] => {
  const pids = pidsOf(victim, appliance.dataDir, task);
  assert.ok(signal(pids, 'SIGSTOP'), `${victim} runs`);
  return pids;
};

async function leaseRanOut(run: string): Promise<void> {
  await eventually(async () => {
    const [row] = await query<{ over: boolean }>(
      scene,
      'select lease_until < now() or lease_until is null as over from run where id = $1',
      [run],
    );
    return row?.over || undefined;
  }, `the lease of run ${run} to run out`);
}

const stateOf = async (run: string) =>
  (await query<{ state: string }>(scene, 'select state from run where id = $1', [run]))[0]?.state;

const historyOf = async (task: number) =>
  await query(scene, `select at, kind, data from event where task = $1 and kind like '%.state' order by at`, [
    task,
  ]);

test('a daemon that stood still for longer than the lease takes no run from its runner', async () => {
  const { task, origin, go } = await begun('daemon');
  const pids = pause('daemon', task);
  await leaseRanOut(`${task}-1`);
  signal(pids, 'SIGCONT');
  go();
  const ended = await appliance.ended(task);
  assert.equal(ended.attempt, 1);
  await completedOnce(scene, task, origin);
  const lost = await query(
    scene,
    `select from event where task = $1 and kind = 'run.state' and data->>'to' = 'lost'`,
    [task],
  );
  assert.equal(lost.length, 0);
});

test('a worker that stood still leaves its runs to their runners, which keep their leases', async () => {
  const { task, origin, go } = await begun('worker');
  const pids = pause('worker', task);
  const [before] = await query<{ until: Date }>(
    scene,
    'select lease_until as until from run where task = $1',
    [task],
  );
  await eventually(async () => {
    const [row] = await query<{ renewed: boolean }>(
      scene,
      `select lease_until > $2::timestamptz + interval '5 seconds' as renewed from run where task = $1`,
      [task, before!.until],
    );
    return row?.renewed || undefined;
  }, 'the lease to be renewed without the worker');
  signal(pids, 'SIGCONT');
  go();
  assert.equal((await appliance.ended(task)).attempt, 1);
  await completedOnce(scene, task, origin);
});

test('a runner that comes back when its task was given to another is refused, stops and changes nothing', async () => {
  const { task, origin, hasBegun, go } = await begun('zombie');
  const directory = path.join(appliance.dataDir, 'worker/runs', `${task}-1`);
  const runnerLog = path.join(directory, 'events.log');
  const pids = pause('runner', task);
  await hasBegun(2);
  assert.equal(await stateOf(`${task}-1`), 'lost');
  const acknowledged = await query<{ bytes: string }>(
    scene,
    `select bytes from log_stream where run = $1 order by stream`,
    [`${task}-1`],
  );
  assert.ok(readFileSync(runnerLog).length > 0);
  signal(pids, 'SIGCONT');
  await eventually(async () => !existsSync(directory) || undefined, 'the refused runner to remove its run');
  assert.equal(await stateOf(`${task}-1`), 'lost');
  assert.equal(await stateOf(`${task}-2`), 'working');
  go();
  const { attempt } = await appliance.ended(task);
  assert.equal(attempt, 2, JSON.stringify(await historyOf(task), null, 2));
  await completedOnce(scene, task, origin);
  const after = await query<{ bytes: string }>(
    scene,
    `select bytes from log_stream where run = $1 order by stream`,
    [`${task}-1`],
  );
  assert.ok(after.every(({ bytes }, index) => Number(bytes) >= Number(acknowledged[index]!.bytes)));
});

test('a runner that comes back before its task was given away is taken back, and the task ends once', async () => {
  const other = await begun('busy-1');
  const more = await begun('busy-2');
  const { task, origin, go } = await begun('late'); // the worker has no more room, so nobody takes the task meanwhile
  const pids = pause('runner', task);
  await eventually(
    async () => ((await stateOf(`${task}-1`)) === 'lost' ? true : undefined),
    'the run to be lost',
  );
  // The worker counts its own live runners: while this one lives it takes no more than two others.
  signal(pids, 'SIGCONT');
  await eventually(
    async () => ((await stateOf(`${task}-1`)) === 'working' ? true : undefined),
    'the run to be taken back',
  );
  for (const each of [other, more, { go }]) each.go();
  assert.equal((await appliance.ended(task)).state, 'completed');
  await completedOnce(scene, task, origin);
  for (const each of [other, more]) await appliance.ended(each.task);
});

test('nothing is left of all this', async () => {
  await eventually(
    async () =>
      await nothingLeft(scene).then(
        () => true,
        () => undefined,
      ),
    'everything to be cleared away',
    20_000,
  ).catch(() => nothingLeft(scene));
});
