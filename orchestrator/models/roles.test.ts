import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { testDatabase } from '../../test/support/database.ts';
import type { Database } from '../db/connect.ts';
import { stopListening } from '../db/notifications.ts';
import { catalogue } from './catalogue.ts';
import { beginTest, endTest, failTest, noteChecks } from './conformance/results.ts';
import { clearRole, openRoleBook, setRole } from './roles.ts';

const set = { force: false, models: ['small', 'gpu/large', 'gpu/small'] };

test('a role is given to models that passed their tests, and every gateway knows at once', async () => {
  await using book = await opened();
  const { parts, db } = book;
  await tested(db, 'gpu/small', 'qwen-coder', true);
  const given = await setRole(parts, 'coder', set, 'ann');
  assert.deepEqual(given, { role: 'coder', models: ['gpu/small', 'gpu/large'], source: 'set' });
  assert.equal(parts.catalogue.resolve('autocode/coder').name, 'gpu/small');
  const elsewhere = await openRoleBook(db, (error) => assert.fail(String(error)));
  assert.deepEqual(elsewhere.current(), { coder: ['gpu/small', 'gpu/large'] });
  const cleared = await clearRole(parts, 'coder');
  assert.deepEqual(cleared, { role: 'coder', models: ['gpu/large'], source: 'configuration' });
  while (elsewhere.current().coder !== undefined) await delay(5);
});

test('the first model of a role must have passed with every agent that it was last tested with', async () => {
  await using book = await opened();
  const { parts, db } = book;
  const unsuited = async (message: RegExp, remedy: RegExp) =>
    await assert.rejects(setRole(parts, 'coder', set, 'ann'), {
      code: 'ERR_MODEL_UNSUITED',
      message,
      remedy,
    });
  await unsuited(/gpu\/small .* never tested/, /autocode model test gpu\/small`.*--force/);
  const away = await beginTest(db, 'gpu/small', 'codex');
  await failTest(db, away.id, { problem: 'its engine was away', remedy: undefined });
  await unsuited(/never tested/, /model test/);
  await tested(db, 'gpu/small', 'qwen-coder', true);
  await tested(db, 'gpu/small', 'codex', false);
  await unsuited(/test with codex failed: tool-call \(talks\)/, /model test gpu\/small --agent codex/);
  assert.equal((await setRole(parts, 'coder', { ...set, force: true }, 'ann')).source, 'set');
  await tested(db, 'gpu/small', 'codex', true);
  assert.equal((await setRole(parts, 'coder', set, 'ann')).models[0], 'gpu/small');
});

test('a model must speak what its role is asked for in, and be there', async () => {
  await using book = await opened();
  await assert.rejects(setRole(book.parts, 'embedding', set, 'ann'), {
    code: 'ERR_MODEL_UNSUITED',
    message: /no embeddings/,
  });
  await assert.rejects(setRole(book.parts, 'coder', { force: true, models: ['gone'] }, 'ann'), {
    code: 'ERR_MODEL_UNKNOWN',
  });
  const vectors = { force: false, models: ['vectors'] };
  assert.deepEqual((await setRole(book.parts, 'embedding', vectors, 'ann')).models, ['cpu/vectors']);
});

async function opened() {
  const database = await testDatabase();
  const db = database.pool;
  const book = await openRoleBook(db, (error) => assert.fail(String(error)));
  const engine = { kind: 'upstream', url: 'http://127.0.0.1:1', queue: 1, queueSeconds: 1 } as const;
  const models = catalogue({
    engines: [
      {
        ...engine,
        name: 'gpu',
        protocols: ['chat'],
        models: [{ name: 'small' }, { name: 'large' }],
      },
      { ...engine, name: 'cpu', protocols: ['embeddings'], models: [{ name: 'vectors' }] },
    ],
    ceilingPrice: { input: 1, cached: 1, output: 1 },
    recordingDirectories: [],
    roles: { coder: ['gpu/large'] },
    setRoles: book.current,
  });
  return {
    db,
    parts: { db, catalogue: models, book },
    async [Symbol.asyncDispose]() {
      await stopListening(db);
      await database[Symbol.asyncDispose]();
    },
  };
}

async function tested(db: Database, model: string, agent: string, passed: boolean): Promise<void> {
  const { id } = await beginTest(db, model, agent);
  await noteChecks(db, id, [{ name: 'tool-call', passed, detail: 'talks' }]);
  await noteChecks(db, id, [{ name: 'usage', passed: true, detail: '' }]);
  await endTest(db, id);
}
