// Dispatching, the count of workers, and the comparison of records with a real Nomad of one client.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { PlacementSettings, runNeeds } from '../../orchestrator/config/placement-settings.ts';
import { Config } from '../../orchestrator/config/schema.ts';
import { placementChores } from '../../orchestrator/daemon/placement.ts';
import type { Queryable } from '../../orchestrator/db/connect.ts';
import { stopListening } from '../../orchestrator/db/notifications.ts';
import { nomadClient, type NomadClient } from '../../orchestrator/nomad/client.ts';
import { autoscaleOnce } from '../../orchestrator/placement/autoscaler.ts';
import { dispatchOnce } from '../../orchestrator/placement/dispatcher.ts';
import { noteAsked, openDispatches } from '../../orchestrator/placement/dispatches.ts';
import { explainDispatch } from '../../orchestrator/placement/explain-dispatch.ts';
import { hasEnded } from '../../orchestrator/placement/fleet.ts';
import { reconcileFleet } from '../../orchestrator/placement/reconcile.ts';
import { aProject, aTask, aWorker, claim } from '../../orchestrator/tasks/testing/work.ts';
import { listWorkers } from '../../orchestrator/workers/worker-list.ts';
import { testDatabase } from '../support/database.ts';
import { startNomad, type Cluster } from '../support/nomad.ts';

const MEMORY_MIB = 4096;
const settings = { job: 'autocode-worker', runJob: 'autocode-run' };
const needs = runNeeds(PlacementSettings.parse({}));
let cluster: Cluster;
let nomad: NomadClient;

before(async () => {
  cluster = await startNomad({ clients: 1, memoryMib: MEMORY_MIB });
  const { address, caFile, token } = cluster;
  nomad = nomadClient({ address, caFile, namespace: 'default', token: () => Promise.resolve(token) });
  await cluster.call('POST', 'jobs', { Job: aJob('autocode-worker', 'service', 32) });
});
after(async () => await cluster[Symbol.asyncDispose]());

/** A job whose task sleeps; each allocation has so much memory to itself. */
function aJob(id: string, type: 'service' | 'batch', memoryMib: number) {
  const task = {
    Name: 'claimer',
    Driver: 'raw_exec',
    Config: { command: '/bin/sleep', args: ['3600'] },
    Resources: { CPU: 50, MemoryMB: memoryMib },
    KillTimeout: 100_000_000, // nanoseconds
    LogConfig: { MaxFiles: 1, MaxFileSizeMB: 1 },
  };
  const group = {
    Name: 'agent',
    Count: 1,
    Tasks: [task],
    RestartPolicy: { Attempts: 0, Mode: 'fail' },
    ReschedulePolicy: { Attempts: 0, Unlimited: false },
    EphemeralDisk: { SizeMB: 10 },
  };
  const parameterized = type === 'batch' ? { ParameterizedJob: { MetaRequired: ['task'] } } : {};
  const update = { Update: { MaxParallel: 0 } }; // no deployment to wait for before its count is changed
  return {
    ID: id,
    Name: id,
    Type: type,
    Datacenters: ['dc1'],
    TaskGroups: [group],
    ...(type === 'batch' ? parameterized : update),
  };
}

/** The run job as the test needs it; its allocations of earlier tests are gone. */
async function deployRunJob(memoryMib = 32): Promise<void> {
  await cluster.call('POST', 'jobs', { Job: aJob('autocode-run', 'batch', memoryMib) });
}

const dispatchedOnes = async () =>
  (await nomad.allocations()).filter(({ job }) => job.startsWith('autocode-run/'));

async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await delay(100)) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
  }
  throw new Error(`${what} did not come about`);
}

/** Stops what was dispatched, also what has no allocation yet. */
async function removeDispatched({ db }: { db: Queryable }): Promise<void> {
  for (const { job } of await openDispatches(db)) if (job !== null) await nomad.stopJob(job);
  await until('the end of the allocations', async () => {
    const live = (await dispatchedOnes()).filter((allocation) => !hasEnded(allocation));
    for (const { job } of live) await nomad.stopJob(job);
    return live.length === 0;
  });
}

async function parts(max = 10) {
  const db = await testDatabase();
  await db.pool.query('update installation set id = gen_random_uuid()'); // tokens of another test are not its own
  return {
    db: db.pool,
    fleet: { nomad, settings },
    needs,
    max,
    timeZone: 'UTC',
    [Symbol.asyncDispose]: async () => await db[Symbol.asyncDispose](),
  };
}

test('each task that wants one gets one allocation, within the limit; a full worker lets others have one', async () => {
  await using fleet = await parts(2);
  await deployRunJob();
  for (const name of ['a', 'b', 'c']) {
    await aProject(fleet.db, name, { placement: name === 'b' ? 'any' : 'dispatch' });
    await aTask(fleet.db, name);
  }
  await aWorker(fleet.db, 'w', 1);
  assert.equal(await dispatchOnce(fleet), 2, 'for a and c: b has room on w');
  assert.equal(await dispatchOnce(fleet), 0);
  assert.equal((await claim(fleet.db))?.task.id, 2);
  await aProject(fleet.db, 'd');
  const d = await aTask(fleet.db, 'd');
  assert.equal(await dispatchOnce(fleet), 0, 'there are two already');
  assert.match((await explainDispatch(fleet.db, 1, 2))!.why, /was dispatched at/);
  const [first] = await until('two allocations', async () => {
    const found = await dispatchedOnes();
    return found.length === 2 && found.every(({ status }) => status === 'running') && found;
  });
  await aWorker(fleet.db, 'dispatch-1', 1, [], { placement: 'dispatch', allocation: first!.id });
  assert.ok((await claim(fleet.db, 'dispatch-1')) !== null);
  await nomad.stopJob(first!.job);
  await until('room for another', async () => (await dispatchOnce(fleet)) === 1);
  assert.ok((await openDispatches(fleet.db)).some(({ task }) => task === d.id));
  await removeDispatched(fleet);
});

test('killed between its row and Nomad, or between Nomad and its row, it dispatches once', async () => {
  await using fleet = await parts();
  await deployRunJob();
  await aProject(fleet.db, 'a', { placement: 'dispatch' });
  const task = await aTask(fleet.db, 'a');
  const row = { ...task, project: 1, projectName: 'a' };
  const token = (await noteAsked(fleet.db, row))!;
  assert.equal(await noteAsked(fleet.db, row), undefined);
  const made = await nomad.dispatch('autocode-run', { meta: { task: '1' }, idempotencyToken: token });
  assert.equal(await dispatchOnce(fleet), 1, 'the row goes on');
  assert.deepEqual(
    (await openDispatches(fleet.db)).map(({ job, state }) => [job, state]),
    [[made.dispatchedJobId, 'dispatched']],
  );
  await until('the allocation', async () =>
    (await dispatchedOnes()).some(({ job }) => job === made.dispatchedJobId),
  );
  assert.equal((await dispatchedOnes()).filter(({ desired }) => desired === 'run').length, 1);
  assert.equal(await dispatchOnce(fleet), 0);
  await removeDispatched(fleet);
});

test('without room in Nomad the explanation names the dimension, and a task that is gone takes its allocation back', async () => {
  await using fleet = await parts();
  await deployRunJob(MEMORY_MIB * 4);
  await aProject(fleet.db, 'a', { placement: 'dispatch' });
  await aTask(fleet.db, 'a');
  assert.equal(await dispatchOnce(fleet), 1);
  const why = await until('the reason', async () => {
    await dispatchOnce(fleet);
    const { why: words } = (await explainDispatch(fleet.db, 1, 10))!;
    return /no room/.test(words) && words;
  });
  assert.match(
    why,
    /Nomad has no room for its allocation: agent: 1 cannot be placed.*memory is used up on 1/,
  );
  const [open] = await openDispatches(fleet.db);
  await fleet.db.query(`update task set state = 'cancelled'`);
  await fleet.db.query('update task_repository set waiting = false');
  await dispatchOnce(fleet);
  assert.deepEqual(await openDispatches(fleet.db), []);
  assert.equal((await nomad.job(open!.job!))?.Stop, true);
});

test('an allocation that ends without taking its run is followed by another, after a pause', async () => {
  await using fleet = await parts();
  await deployRunJob();
  await aProject(fleet.db, 'a', { placement: 'dispatch' });
  await aTask(fleet.db, 'a');
  await dispatchOnce(fleet);
  const [open] = await openDispatches(fleet.db);
  const { id: allocation } = await until('the allocation', async () =>
    (await dispatchedOnes()).find(({ job }) => job === open!.job),
  );
  await aWorker(fleet.db, 'dispatch-1', 1, [], { placement: 'dispatch', allocation });
  await nomad.stopJob(open!.job!);
  await until('its end', async () => {
    await dispatchOnce(fleet);
    return (await openDispatches(fleet.db)).length === 0;
  });
  assert.match((await explainDispatch(fleet.db, 1, 10))!.why, /ended as complete without taking it/);
  assert.deepEqual(await listWorkers(fleet.db, needs), [], 'its worker is no room');
  assert.equal(await dispatchOnce(fleet), 0, 'not at once');
  await fleet.db.query(`update nomad_dispatch set ended_at = ended_at - interval '1 minute'`);
  assert.equal(await dispatchOnce(fleet), 1);
  await removeDispatched(fleet);
});

test('what differs between records and Nomad is shown, then mended; allocations of other jobs are left alone', async () => {
  await using fleet = await parts();
  await deployRunJob();
  const { db } = fleet;
  await cluster.call('POST', 'jobs', { Job: aJob('shop', 'service', 32) });
  const stray = await nomad.dispatch('autocode-run', { meta: { task: '9' }, idempotencyToken: 'stray' });
  const ended = await nomad.dispatch('autocode-run', { meta: { task: '8' }, idempotencyToken: 'ended' });
  await until(
    'the allocations',
    async () => (await nomad.allocations()).filter(({ status }) => status === 'running').length >= 4,
  );
  await nomad.stopJob(ended.dispatchedJobId);
  const all = await until('the end of one', async () => {
    const found = await nomad.allocations();
    return found.find(({ job }) => job === ended.dispatchedJobId)?.status === 'complete' && found;
  });
  const idOf = (job: string) => all.find((each) => each.job === job)!.id;
  await aWorker(db, 'gone', 1, [], {
    placement: 'dispatch',
    allocation: idOf(ended.dispatchedJobId),
    dailyBudget: 5,
  });
  await aWorker(db, 'vm-1', 1, [], {
    placement: 'service',
    allocation: '00000000-0000-4000-8000-000000000000',
  });
  await db.query(`update worker set state = 'offline' where name = 'vm-1'`);
  await aWorker(db, 'stranger', 1, [], { allocation: idOf('shop') });
  const shown = await reconcileFleet(db, fleet.fleet, true);
  const expected = [
    ['allocation', idOf(stray.dispatchedJobId), 'its job is stopped'],
    ['worker', 'gone', 'the worker is removed from the list'],
    ['worker', 'stranger', null],
    ['worker', 'vm-1', 'the worker is removed from the list'],
  ];
  assert.deepEqual(
    shown.map(({ kind, what, action }) => [kind, what, action]),
    expected,
  );
  assert.ok(shown.every(({ mended }) => !mended));
  const mended = await reconcileFleet(db, fleet.fleet, false);
  assert.deepEqual(
    mended.map((each) => each.mended),
    [true, true, false, true],
  );
  const workers = await listWorkers(db, needs);
  assert.deepEqual(
    workers.map(({ name, state }) => [name, state]),
    [['stranger', 'online']],
  );
  await until(
    'the stray one to end',
    async () => (await nomad.allocation(idOf(stray.dispatchedJobId))).status === 'complete',
  );
  assert.equal((await nomad.allocation(idOf('shop'))).status, 'running');
  await nomad.stopJob('shop', { purge: true });
  await removeDispatched(fleet);
});

test('a service job that Nomad leaves without an allocation gets one', async () => {
  await using fleet = await parts();
  const { db } = fleet;
  const lingering = aJob('autocode-worker', 'service', 32);
  // Nomad makes the next one wait for so long, also when the node is back at once.
  Object.assign(lingering.TaskGroups[0]!, { Disconnect: { StopOnClientAfter: 3600e9, Replace: false } });
  const [vm] = cluster.vms;
  await cluster.call('POST', 'jobs', { Job: lingering });
  const allocations = async () => await nomad.allocations('autocode-worker');
  await until('the allocation', async () => (await allocations()).some(({ status }) => status === 'running'));
  await vm!.cut();
  await until('its loss', async () => (await allocations()).every(({ desired }) => desired === 'stop'));
  await vm!.mend();
  await until('the node', async () => (await nomad.nodes()).every(({ status }) => status === 'ready'));
  const [found] = await reconcileFleet(db, fleet.fleet, true);
  assert.deepEqual([found?.kind, found?.what, found?.mended], ['job', 'autocode-worker', false]);
  assert.match(found!.why, /has 0 allocations, and should have 1/);
  assert.equal((await reconcileFleet(db, fleet.fleet, false))[0]!.mended, true);
  await until('another', async () => (await allocations()).some(({ status }) => status === 'running'));
  assert.deepEqual(await reconcileFleet(db, fleet.fleet, true), []);
});

test('the daemon dispatches as soon as a task is queued, and tells once that Nomad is away', async () => {
  await using fleet = await parts();
  const { db } = fleet;
  await deployRunJob();
  await aProject(db, 'a', { placement: 'dispatch' });
  const told: string[] = [];
  const log = { warn: (words: string) => void told.push(words) };
  const config = Config.parse({ placement: { dispatch: {} } });
  const choreOf = (client: NomadClient) =>
    placementChores({ nomad: client, settings }, config, db, log).find(({ name }) => name === 'dispatch')!;
  const stop = new AbortController();
  const running = choreOf(nomad).run(stop.signal);
  await aTask(db, 'a');
  await until('the dispatch', async () =>
    (await openDispatches(db)).some(({ state }) => state === 'dispatched'),
  );
  stop.abort();
  await running;
  await removeDispatched(fleet);
  const away = nomadClient({
    address: 'http://127.0.0.1:1',
    namespace: 'default',
    token: () => Promise.resolve('t'),
  });
  const chore = choreOf(away);
  for (let i = 0; i < 3; i++) await chore.run(AbortSignal.timeout(60_000));
  await stopListening(db);
  assert.equal(told.length, 1);
  assert.match(told[0]!, /dispatch waits: Nomad at http:\/\/127.0.0.1:1 is not reached/);
});

test('the count of workers follows the queue, and the reason is kept', async () => {
  await using fleet = await parts();
  const { db } = fleet;
  const scaling = {
    ...fleet,
    settings: { min: 1, max: 3, queueWaitSeconds: 20, cooldownSeconds: 60, idleSeconds: 60 },
  };
  const scale = async () => {
    await autoscaleOnce(scaling);
    const { rows } = await db.query<{ count: number; reason: string }>('select count, reason from autoscale');
    return rows[0]!;
  };
  assert.deepEqual(await scale(), { count: 1, reason: 'nothing waits for room' });
  for (const name of ['a', 'b', 'c']) {
    await aProject(db, name);
    await aTask(db, name);
  }
  await aWorker(db, 'vm-1', 1, [], { placement: 'service' });
  assert.ok((await claim(db, 'vm-1')) !== null);
  assert.match((await scale()).reason, /2 tasks wait for room/);
  await db.query(`update task set updated_at = now() - interval '1 minute' where state = 'queued'`);
  const { count, reason } = await scale();
  assert.deepEqual([count, /95 % of them no longer than 60 s/.test(reason)], [3, true]);
  const job = await nomad.job('autocode-worker');
  assert.equal(job!.TaskGroups[0]!.Count, 3);
  assert.match((await scale()).reason, /3 is the most/);
  await db.query(`update task set state = 'cancelled' where state = 'queued'`);
  assert.match((await scale()).reason, /stays as it is for another/);
  await db.query(
    `update autoscale set scaled_at = now() - interval '1 hour', idle_at = now() - interval '1 hour'`,
  );
  assert.equal((await scale()).count, 2);
  assert.equal((await nomad.job('autocode-worker'))!.TaskGroups[0]!.Count, 2);
});
