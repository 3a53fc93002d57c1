import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { testDatabase } from '../../../test/support/database.ts';
import { transaction, type Database } from '../../db/connect.ts';
import { stopListening } from '../../db/notifications.ts';
import { keepPolicyFile } from './policy-file.ts';
import { requireRules } from './parse.ts';
import { effectivePolicy, readPolicy, setPolicy, setRecording } from './store.ts';
import { printRule } from './rule.ts';

const presets = new Map([['npm', requireRules('allow method=GET,HEAD host=registry.npmjs.org', new Map())]]);

async function addProject(db: Database, name: string): Promise<void> {
  await db.query('insert into project (name, verify, limits) values ($1, $2, $2)', [name, '[]']);
}
async function set(db: Database, project: string | null, text: string, expectedVersion?: number) {
  const update = { text, dryRun: false, ...(expectedVersion === undefined ? {} : { expectedVersion }) };
  return await transaction(db, async (tx) => await setPolicy(tx, presets, project, update, 'ada'));
}

test('a policy is kept as it was set, and tells what it changed', async () => {
  await using db = await testDatabase();
  const first = await set(db.pool, null, '# ours\npreset npm\nallow host=a.example\n');
  assert.deepEqual(first.added, ['allow method=GET,HEAD host=registry.npmjs.org', 'allow host=a.example']);
  const second = await set(db.pool, null, 'preset npm\ndeny host=b.example', first.version);
  assert.deepEqual(second.added, ['deny host=b.example']);
  assert.deepEqual(second.removed, ['allow host=a.example']);
  const shown = await readPolicy(db.pool, presets, null);
  assert.equal(shown.text, 'preset npm\ndeny host=b.example');
  assert.equal(shown.version, second.version);
  assert.equal(shown.author, 'ada');
  const { rows } = await db.pool.query(`select data from event where kind = 'egress.policy' order by id`);
  assert.deepEqual(rows[1].data, {
    version: second.version,
    author: 'ada',
    added: ['deny host=b.example'],
    removed: ['allow host=a.example'],
  });
});

test('a text with mistakes is refused whole, with all of them; the one before stays', async () => {
  await using db = await testDatabase();
  await set(db.pool, null, 'allow host=a.example');
  await assert.rejects(
    set(db.pool, null, 'allow host=b.example\nalow host=c\nallow host=*x'),
    (error: Error) => {
      const { details } = error as Error & { details: { problems: { line: number; column: number }[] } };
      assert.deepEqual(
        details.problems.map(({ line, column }) => [line, column]),
        [
          [2, 1],
          [3, 12],
        ],
      );
      return true;
    },
  );
  assert.equal((await readPolicy(db.pool, presets, null)).text, 'allow host=a.example');
});

test('who edits what is no longer there is told; who sets the same again changes nothing', async () => {
  await using db = await testDatabase();
  const { version } = await set(db.pool, null, 'allow host=a.example');
  const same = await set(db.pool, null, 'allow host=a.example');
  assert.equal(same.version, version);
  await set(db.pool, null, 'allow host=b.example', version);
  await assert.rejects(set(db.pool, null, 'allow host=c.example', version), { code: 'ERR_CONFLICT' });
});

test('two who set it at the same time do so one after the other', async () => {
  await using db = await testDatabase();
  const both = await Promise.allSettled([
    set(db.pool, null, 'allow host=a.example', 0),
    set(db.pool, null, 'allow host=b.example', 0),
  ]);
  assert.deepEqual(both.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
});

test('the rules of a project are for it alone, and go when it is archived', async () => {
  await using db = await testDatabase();
  await addProject(db.pool, 'shop');
  await addProject(db.pool, 'blog');
  await set(db.pool, null, 'allow host=all.example');
  await set(db.pool, 'shop', 'allow host=shop.example');
  const texts = async () => (await effectivePolicy(db.pool, presets)).rules.map(printRule);
  assert.deepEqual(await texts(), ['allow host=all.example', 'allow host=shop.example project=shop']);
  assert.deepEqual((await readPolicy(db.pool, presets, 'blog')).effective, ['allow host=all.example']);
  assert.deepEqual((await readPolicy(db.pool, presets, 'shop')).rules, ['allow host=shop.example']);
  await assert.rejects(set(db.pool, 'shop', 'allow host=x.example project=blog'), {
    code: 'ERR_INVALID_INPUT',
  });
  await assert.rejects(set(db.pool, 'none', ''), { code: 'ERR_NOT_FOUND' });
  await db.pool.query(`update project set archived_at = now() where name = 'shop'`);
  assert.deepEqual(await texts(), ['allow host=all.example']);
});

test('record mode has an end, and may be ended', async () => {
  await using db = await testDatabase();
  await addProject(db.pool, 'shop');
  const record = async (hours: number | null) =>
    await transaction(db.pool, async (tx) => await setRecording(tx, 'shop', hours, 'ada'));
  const { until } = await record(2);
  const left = (Date.parse(until!) - Date.now()) / 3_600_000;
  assert.ok(left > 1.9 && left < 2.1, String(left));
  assert.equal((await readPolicy(db.pool, presets, 'shop')).recording?.until, until);
  assert.deepEqual(Object.keys((await effectivePolicy(db.pool, presets)).recording), ['shop']);
  await record(null);
  await record(null);
  assert.equal((await readPolicy(db.pool, presets, 'shop')).recording, null);
  const { rows } = await db.pool.query(
    `select data->>'until' as until from event where kind = 'egress.recording' order by id`,
  );
  assert.deepEqual(
    rows.map((row) => row.until),
    [until, null],
  );
  await record(1);
  await db.pool.query(`update egress_recording set until = now() - interval '1 second'`);
  assert.deepEqual((await effectivePolicy(db.pool, presets)).recording, {});
});

test('the file for the proxy follows within a second, and is the same after a restart', async () => {
  await using db = await testDatabase();
  const directory = await mkdtemp(join(tmpdir(), 'autocode-policy-'));
  const file = join(directory, 'policy.json');
  const failed = (error: unknown) => assert.fail(String(error));
  const start = async (signal: AbortSignal) =>
    await keepPolicyFile({ db: db.pool, file, presets, signal, failed });
  const first = new AbortController();
  const kept = await start(first.signal);
  const before = JSON.parse(await readFile(file, 'utf8'));
  assert.deepEqual(before.rules, []);
  const changed = performance.now();
  const { version } = await set(db.pool, null, 'preset npm');
  let document = before;
  while (document.version === before.version && performance.now() - changed < 20_000) {
    await delay(10);
    document = JSON.parse(await readFile(file, 'utf8'));
  }
  assert.ok(performance.now() - changed < 1_000, 'within a second');
  assert.deepEqual(document.rules, ['allow method=GET,HEAD host=registry.npmjs.org']);
  assert.match(document.version, new RegExp(`^${version}-[0-9a-f]{8}$`));
  first.abort();
  await kept.stopped;

  const bytes = await readFile(file);
  await writeFile(file, '{'); // as no crash leaves it, but a person may
  const second = new AbortController();
  const again = await start(second.signal);
  assert.deepEqual(await readFile(file), bytes);
  second.abort();
  await again.stopped;
  await stopListening(db.pool);
  await rm(directory, { recursive: true });
});
