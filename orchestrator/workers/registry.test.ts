import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { Worker, WorkerAnswer, WorkerInput } from '../../protocol/worker.ts';
import { settledEvents } from '../events/testing/settled.ts';
import { listBudgets, setBudget } from '../budget/budgets.ts';
import { aProject, aRun, aTask, claim, SETTINGS } from '../tasks/testing/work.ts';
import { drainWorker } from './drain-worker.ts';
import { registerWorker } from './registry.ts';
import { listWorkers } from './worker-list.ts';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';

const input = WorkerInput.parse({
  protocol: PROTOCOL_VERSION,
  version: '1',
  capacity: 2,
  agents: [{ name: 'command', version: null }],
  isolations: ['directory' as const],
  host: 'h',
});

test('a worker registers, again and again, and is told which runs are its own', async () => {
  await using db = await testDatabase();
  const { run } = await aRun(db.pool);
  const answer = WorkerAnswer.parse(await registerWorker(db.pool, 'w', { ...input, capacity: 5 }));
  assert.deepEqual(answer.runs, [{ run, fence: 1 }]);
  assert.deepEqual((await registerWorker(db.pool, 'other', input)).runs, []);
  const workers = (await listWorkers(db.pool, SETTINGS.needs)).map((worker) => Worker.parse(worker));
  assert.deepEqual(
    workers.map(({ name, capacity, running }) => [name, capacity, running]),
    [
      ['other', 2, 0],
      ['w', 5, 1],
    ],
  );
  assert.partialDeepStrictEqual(workers[1]!.runs, [
    { run, project: 'p', state: 'leased', isolation: 'bubblewrap' },
  ]);
  assert.deepEqual(workers[0]!.runs, []);
  const online = await settledEvents(db.pool, { kinds: ['worker.online'] });
  assert.deepEqual(
    online.map((event) => event.data.worker),
    ['w', 'other'],
  );
});

test('a worker whose protocol is more than one version away is refused', async () => {
  await using db = await testDatabase();
  await assert.rejects(registerWorker(db.pool, 'w', { ...input, protocol: PROTOCOL_VERSION - 2 }), {
    code: 'ERR_PROTOCOL_VERSION',
  });
  await registerWorker(db.pool, 'w', { ...input, protocol: PROTOCOL_VERSION - 1 });
});

test('the daily budget of a worker is one beside those that people set, and goes with its registration', async () => {
  await using db = await testDatabase();
  const shown = async () =>
    (await listBudgets(db.pool, 'UTC')).map(({ subject, period, amount, origin }) => [
      subject,
      period,
      amount,
      origin,
    ]);
  await setBudget(db.pool, { scope: 'worker', subject: 'w', period: 'day', unit: 'money', amount: 5 }, 'ann');
  await registerWorker(db.pool, 'w', { ...input, dailyBudget: 9_000_000 });
  assert.deepEqual(await shown(), [
    ['w', 'day', 5, 'set'],
    ['w', 'day', 9_000_000, 'worker'],
  ]);
  await registerWorker(db.pool, 'w', { ...input, dailyBudget: 2_000_000 });
  await registerWorker(db.pool, 'w', { ...input, dailyBudget: 2_000_000 });
  assert.deepEqual((await shown())[1], ['w', 'day', 2_000_000, 'worker']);
  await registerWorker(db.pool, 'w', input);
  assert.deepEqual(await shown(), [['w', 'day', 5, 'set']]);
  const told = await settledEvents(db.pool, { kinds: ['budget.set', 'budget.removed'] });
  assert.deepEqual(
    told.map(({ kind, data }) => [kind, data.amount, data.actor]),
    [
      ['budget.set', 5, 'ann'],
      ['budget.set', 9_000_000, 'worker w'],
      ['budget.set', 2_000_000, 'worker w'],
      ['budget.removed', 2_000_000, 'worker w'],
    ],
  );
});

test('a worker of one project takes no other tasks, until it registers without one', async () => {
  await using db = await testDatabase();
  await aProject(db.pool, 'shop');
  await aProject(db.pool, 'blog');
  await aTask(db.pool, 'shop');
  await aTask(db.pool, 'blog');
  await assert.rejects(registerWorker(db.pool, 'w', { ...input, project: 'none' }), {
    code: 'ERR_NOT_FOUND',
    message: /project none, which is not there/,
  });
  const any = { ...input, isolations: ['bubblewrap' as const] };
  await registerWorker(db.pool, 'w', { ...any, project: 'blog' });
  assert.equal((await listWorkers(db.pool, SETTINGS.needs))[0]?.project, 'blog');
  assert.equal((await claim(db.pool, 'w'))?.project.name, 'blog');
  assert.equal(await claim(db.pool, 'w'), null);
  await registerWorker(db.pool, 'w', any);
  assert.equal((await claim(db.pool, 'w'))?.project.name, 'shop');
});

test('the list tells of a refused version, a clock that is off, and a disk that is nearly full', async () => {
  await using db = await testDatabase();
  const list = async () => await listWorkers(db.pool, SETTINGS.needs);
  await assert.rejects(registerWorker(db.pool, 'w', { ...input, protocol: PROTOCOL_VERSION - 2 }));
  assert.match((await list())[0]!.trouble!, /refused: Worker w speaks protocol .*Upgrade the worker/);
  const resources = { memoryMib: 8000, cores: 4, diskMib: 900 };
  const clock = new Date(Date.now() - 90_000).toISOString();
  await registerWorker(db.pool, 'w', { ...input, resources, clock });
  const [off] = await list();
  assert.match(off!.trouble!, /^Its disk is nearly full: 900 MiB .* Its clock is \d+ s behind\.$/);
  assert.deepEqual(off!.resources, resources);
  await registerWorker(db.pool, 'w', { ...input, clock: new Date().toISOString() });
  assert.equal((await list())[0]!.trouble, null);
});

test('a worker that is drained takes no run, whatever it registers, until its drain ends', async () => {
  await using db = await testDatabase();
  await registerWorker(db.pool, 'w', input);
  await drainWorker(db.pool, 'w', true, 'ann');
  await drainWorker(db.pool, 'w', true, 'ann');
  await aProject(db.pool, 'p', { isolation: 'directory' });
  await aTask(db.pool);
  await registerWorker(db.pool, 'w', input);
  assert.equal(await claim(db.pool), null);
  await drainWorker(db.pool, 'w', false, 'ann');
  assert.equal((await claim(db.pool))?.run, '1-1');
  const told = await settledEvents(db.pool, { kinds: ['worker.draining', 'worker.resumed'] });
  assert.deepEqual(
    told.map(({ kind, data }) => [kind, data.worker, data.by]),
    [
      ['worker.draining', 'w', 'ann'],
      ['worker.resumed', 'w', 'ann'],
    ],
  );
  await assert.rejects(drainWorker(db.pool, 'none', true, 'ann'), { code: 'ERR_NOT_FOUND' });
});
