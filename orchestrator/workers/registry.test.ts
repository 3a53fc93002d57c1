import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { Worker, WorkerAnswer, WorkerInput } from '../../protocol/worker.ts';
import { settledEvents } from '../events/testing/settled.ts';
import { aRun } from '../tasks/testing/work.ts';
import { listWorkers, registerWorker } from './registry.ts';
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
  const workers = (await listWorkers(db.pool)).map((worker) => Worker.parse(worker));
  assert.deepEqual(
    workers.map(({ name, capacity, running }) => [name, capacity, running]),
    [
      ['other', 2, 0],
      ['w', 5, 1],
    ],
  );
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
