// A spool read forwards, with how far kept in a real database.
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { testDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { removeSpool } from './spool-files.ts';
import { forgetRemoved, spoolReader, unreadFiles } from './spool-reader.ts';

const AT_ONCE = 64;
const NEXT_DAY = new Date(Date.now() + 86_400_000).toISOString().slice(0, 13);

function rig(t: TestContext, { pool }: TestDatabase) {
  const directory = mkdtempSync(path.join(tmpdir(), 'autocode-spool-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const reader = spoolReader(pool, 'elasticsearch', directory);
  return {
    directory,
    reader,
    /** Files that are noted as read to somewhere. */
    async noted() {
      return (await pool.query('select from spool_position')).rowCount;
    },
    write: (hour: string, text: string) => appendFileSync(path.join(directory, `${hour}.jsonl`), text),
    /** The lines that come until there are none. */
    async read(): Promise<string[]> {
      const lines: string[] = [];
      for (;;) {
        const piece = await reader.next(AT_ONCE);
        if (piece === null) return lines;
        lines.push(...piece.lines.map(({ text }) => text));
        await reader.done(pool, piece);
      }
    },
  };
}

test('each line comes once and whole, however long, the first hour first; after a failure from where the database says', async (t) => {
  await using db = await testDatabase();
  const { reader, write, read } = rig(t, db);
  write('2026-11-21T22', 'a\nbüc\n');
  write('2026-11-21T23', `${'x'.repeat(5 * AT_ONCE)}\nd\n`);
  assert.deepEqual(await read(), ['a', 'büc', 'x'.repeat(5 * AT_ONCE), 'd']);
  assert.deepEqual(await read(), []);
  await db.pool.query(`update spool_position set position = 2 where file = '2026-11-21T22.jsonl'`);
  reader.startOver();
  assert.deepEqual(await read(), ['büc']);
});

test('files grow as long as the clock says so, also two of them when it was set back', async (t) => {
  await using db = await testDatabase();
  const { write, read } = rig(t, db);
  t.mock.timers.enable({ apis: ['Date'], now: Date.parse('2026-11-21T23:00:05Z') });
  write('2026-11-21T22', 'a\n');
  write('2026-11-21T23', 'b\n');
  assert.deepEqual(await read(), ['a', 'b']);
  write('2026-11-21T22', 'late\n');
  assert.deepEqual(await read(), ['late']);
  t.mock.timers.setTime(Date.parse('2026-11-22T00:00:11Z'));
  assert.deepEqual(await read(), []);
  t.mock.timers.setTime(Date.parse('2026-11-21T22:30:00Z'));
  write('2026-11-21T22', 'again\n');
  assert.deepEqual(await read(), ['again']);
});

test('a line waits for its end while its hour goes on, and is none when nobody ends it any more', async (t) => {
  await using db = await testDatabase();
  const { reader, write, read } = rig(t, db);
  write(NEXT_DAY, 'a\nhal');
  assert.deepEqual(await read(), ['a']);
  assert.equal(await reader.unread(), 3);
  write(NEXT_DAY, 'f\n');
  assert.deepEqual(await read(), ['half']);
  write('2020-01-01T00', 'b\nhal');
  assert.deepEqual(await read(), ['b']);
  assert.equal(await reader.unread(), 0);
});

test('files that are wanted yet stay beyond their time, positions of removed ones are forgotten', async (t) => {
  await using db = await testDatabase();
  const { directory, noted, write, read } = rig(t, db);
  write('2020-01-01T00', 'a\n');
  await read();
  write('2020-01-01T01', 'b\n');
  const wanted = await unreadFiles(db.pool, 'elasticsearch', directory);
  assert.equal(await removeSpool(directory, new Date(), wanted), 1);
  assert.deepEqual(readdirSync(directory), ['2020-01-01T01.jsonl']);
  await forgetRemoved(db.pool, directory);
  assert.equal(await noted(), 0);
  await read();
  assert.equal(await noted(), 1);
});
