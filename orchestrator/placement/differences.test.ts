import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Allocation } from '../nomad/answers.ts';
import { fleetDifferences, type Known, type KnownWorker } from './differences.ts';

const JOBS = { job: 'autocode-worker', runJob: 'autocode-run' };
const RUN_JOB = 'autocode-run/dispatch-1';
const NOW = Date.now();

function allocation(job: string, status = 'running', more: { desired?: string; ageMinutes?: number } = {}) {
  const created = (NOW - (more.ageMinutes ?? 0) * 60_000) * 1e6;
  return Allocation.parse({
    ID: `id-${job}-${status}`,
    Name: 'a',
    Namespace: 'default',
    JobID: job,
    TaskGroup: 'agent',
    NodeID: 'n',
    NodeName: 'vm-1',
    DesiredStatus: more.desired ?? 'run',
    ClientStatus: status,
    CreateTime: created,
    ModifyTime: created,
    ModifyIndex: 1,
  });
}

const worker = (more: Partial<KnownWorker>): KnownWorker => ({
  name: 'vm-1',
  online: true,
  placement: 'service',
  allocation: null,
  runs: [],
  ...more,
});

const service = allocation('autocode-worker');
const dispatched = allocation(RUN_JOB);
const table: [string, Partial<Known>, Allocation[], [string, string | null][]][] = [
  ['nothing', {}, [], []],
  ['a worker of its allocation', { workers: [worker({ allocation: service.id })] }, [service], []],
  ['an allocation of another job', {}, [allocation('shop')], []],
  [
    'a worker that calls an allocation of another job its own',
    { workers: [worker({ allocation: 'id-shop-running' })] },
    [allocation('shop')],
    [['worker', null]],
  ],
  ['an allocation that nobody dispatched', {}, [dispatched], [['allocation', 'stop']]],
  [
    'one that nobody dispatched, whose worker is known',
    { workers: [worker({ placement: 'dispatch', allocation: dispatched.id })] },
    [dispatched],
    [],
  ],
  ['one that is stopped already', {}, [allocation(RUN_JOB, 'running', { desired: 'stop' })], []],
  ['a dispatch and its allocation', { dispatches: [{ token: 't', job: RUN_JOB }] }, [dispatched], []],
  [
    'a dispatch whose allocation has ended',
    { dispatches: [{ token: 't', job: RUN_JOB }] },
    [allocation(RUN_JOB, 'failed')],
    [['dispatch', 'end']],
  ],
  ['a dispatch that waits for room', { dispatches: [{ token: 't', job: RUN_JOB }] }, [], []],
  [
    'an allocation from which nobody registers',
    {},
    [allocation('autocode-worker', 'running', { ageMinutes: 9 })],
    [['allocation', null]],
  ],
  [
    'a worker whose allocation is unknown',
    { workers: [worker({ allocation: 'x' })] },
    [],
    [['worker', null]],
  ],
  [
    'one that is offline, too',
    { workers: [worker({ allocation: 'x', online: false })] },
    [],
    [['worker', 'remove']],
  ],
  [
    'a dispatched worker whose allocation is complete',
    { workers: [worker({ placement: 'dispatch', allocation: 'id-autocode-run/dispatch-1-complete' })] },
    [allocation(RUN_JOB, 'complete')],
    [['worker', 'remove']],
  ],
  [
    'a run that outlives its allocation',
    { workers: [worker({ allocation: 'id-autocode-worker-lost', runs: ['7-1'] })] },
    [allocation('autocode-worker', 'lost')],
    [['run', null]],
  ],
  [
    'a worker that is online on a node out of sight',
    { workers: [worker({ allocation: 'id-autocode-worker-unknown' })] },
    [allocation('autocode-worker', 'unknown')],
    [['worker', null]],
  ],
];
for (const [name, known, allocations, expected] of table) {
  test(`differences of the fleet: ${name}`, () => {
    const found = fleetDifferences(
      { workers: [], dispatches: [], ...known },
      allocations,
      JOBS,
      undefined,
      NOW,
    );
    assert.deepEqual(
      found.map(({ kind, mend }) => [kind, mend]),
      expected,
    );
  });
}

test('a service job that lacks allocations gets them, unless Nomad waits for room', () => {
  const failed = allocation('autocode-worker', 'failed');
  const failedLongAgo = allocation('autocode-worker', 'failed', { ageMinutes: 20 });
  const lost = allocation('autocode-worker', 'complete', { desired: 'stop' });
  const mends = (allocations: Allocation[], count: number, blocked = false) =>
    fleetDifferences({ workers: [], dispatches: [] }, allocations, JOBS, { count, blocked }).map(
      ({ kind, mend }) => [kind, mend],
    );
  assert.deepEqual(mends([service, failed, lost], 2), []);
  assert.deepEqual(mends([service, lost, allocation('shop')], 2), [['job', 'place']]);
  assert.deepEqual(mends([service, failedLongAgo], 2), [['job', 'place']]);
  assert.deepEqual(mends([service, lost], 2, true), [['job', null]]);
});
