import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { migrate, readMigrations } from './migrate.ts';

function migrations(files: Record<string, string>): {
  path: string;
  write(name: string, sql: string): void;
  remove(name: string): void;
  [Symbol.dispose](): void;
} {
  const path = mkdtempSync(join(tmpdir(), 'autocode-migrations-'));
  const write = (name: string, sql: string) => writeFileSync(join(path, name), sql);
  for (const [name, sql] of Object.entries(files)) write(name, sql);
  return {
    path,
    write,
    remove: (name) => rmSync(join(path, name)),
    [Symbol.dispose]: () => rmSync(path, { recursive: true }),
  };
}

test('files are applied once, in order, whoever comes first', async () => {
  await using db = await testDatabase({ empty: true });
  using files = migrations({
    '001-a.sql': 'create table a (n int)',
    '002-b.sql': 'insert into a values (1)',
  });
  const results = await Promise.all([1, 2, 3].map(() => migrate(db.pool, files.path)));
  assert.deepEqual(results.flat(), ['001-a.sql', '002-b.sql']);
  files.write('003-c.sql', 'insert into a values (2)');
  assert.deepEqual(await migrate(db.pool, files.path), ['003-c.sql']);
  assert.equal((await db.pool.query('select from a')).rowCount, 2);
});

test('a file that fails leaves nothing of itself', async () => {
  await using db = await testDatabase({ empty: true });
  using files = migrations({
    '001-a.sql': 'create table a (n int)',
    '002-b.sql': 'create table b (n int); select wrong',
  });
  await assert.rejects(migrate(db.pool, files.path), /002-b\.sql failed.*"wrong"/);
  const tables = await db.pool.query(
    `select tablename from pg_tables where schemaname = 'public' order by 1`,
  );
  assert.deepEqual(
    tables.rows.map((row: { tablename: string }) => row.tablename),
    ['a', 'schema_migrations'],
  );
});

test('a history that does not fit the files is refused with what to do', async () => {
  await using db = await testDatabase({ empty: true });
  using files = migrations({ '001-a.sql': 'select 1', '002-b.sql': 'select 2' });
  await migrate(db.pool, files.path);
  files.write('001-a.sql', 'select 3');
  await assert.rejects(migrate(db.pool, files.path), /001-a\.sql.*has changed/);
  files.write('001-a.sql', 'select 1');
  files.remove('002-b.sql');
  await assert.rejects(migrate(db.pool, files.path), /newer than this version/);
  files.write('002-c.sql', 'select 2');
  await assert.rejects(migrate(db.pool, files.path), /002-b\.sql.*is gone/);
});

test('misnamed files and gaps are refused', async () => {
  using gap = migrations({ '001-a.sql': '', '003-c.sql': '' });
  await assert.rejects(readMigrations(gap.path), /003-c\.sql.*number 2 was expected/);
  using misnamed = migrations({ 'first.sql': '' });
  await assert.rejects(readMigrations(misnamed.path), { code: 'ERR_MIGRATION' });
});

test("the product's own migrations apply to an empty database", async () => {
  await using db = await testDatabase({ empty: true });
  assert.deepEqual(
    await migrate(db.pool),
    (await readMigrations()).map((file) => file.name),
  );
});
