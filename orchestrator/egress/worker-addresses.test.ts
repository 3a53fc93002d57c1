// Whose traffic it is by an address: the one worker that speaks from there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';
import { WorkerInput } from '../../protocol/worker.ts';
import { testDatabase } from '../../test/support/database.ts';
import { registerWorker } from '../workers/registry.ts';
import { workersByAddress } from './worker-addresses.ts';

const input = WorkerInput.parse({
  protocol: PROTOCOL_VERSION,
  version: '1.0.0',
  host: 'h',
  capacity: 1,
  agents: [],
  isolations: [],
});

test('an address is that of the one worker online that registered from there last', async () => {
  await using database = await testDatabase();
  const db = database.pool;
  const now = async () => JSON.parse(await workersByAddress(db)) as unknown;
  await registerWorker(db, 'local', input);
  await registerWorker(db, 'vm-1', input, '10.77.0.11');
  await registerWorker(db, 'vm-2', input, '::ffff:10.77.0.12');
  assert.deepEqual(await now(), { '10.77.0.11': 'vm-1', '10.77.0.12': 'vm-2' });
  await registerWorker(db, 'vm-1', input, '10.77.0.12');
  assert.deepEqual(await now(), {}, 'two at one address are not told apart');
  await db.query(`update worker set state = 'offline' where name = 'vm-2'`);
  assert.deepEqual(await now(), { '10.77.0.12': 'vm-1' });
});
