// A spool read forwards, with how far kept in a real database.
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { testDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { removeSpool } from './spool-files.ts';
import { donePiece, forgetRemoved, nextPiece, positionsOf, unread } from './spool-reader.ts';

const AT_ONCE = 64;
const NEXT_DAY = new Date(Date.now() + 86_400_000).toISOString().slice(0, 13);

function rig(t: TestContext, { pool }: TestDatabase) {
  const directory = mkdtempSync(path.join(tmpdir(), 'autocode-spool-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const positions = async () => await positionsOf(pool, 'elasticsearch');
  return {
    directory,
    positions,
    write: (hour: string, text: string) => appendFileSync(path.join(directory, `${hour}.jsonl`), text),
    /** The lines that come until there are none. */
    async read(): Promise<string[]> {
      const lines: string[] = [];
      for (;;) {
        const piece = await nextPiece(directory, await positions(), AT_ONCE);
        if (piece === null) return lines;
        lines.push(...piece.lines.map(({ text }) => text));
        await donePiece(pool, 'elasticsearch', piece);
      }
    },
  };
}

test('each line comes once and whole, however long, the first hour first; also one that a clock set back leads to an earlier file', async (t) => {
  await using db = await testDatabase();
  const { write, read } = rig(t, db);
  write('2026-11-21T22', 'a\nbüc\n');
  write('2026-11-21T23', `${'x'.repeat(5 * AT_ONCE)}\nd\n`);
  assert.deepEqual(await read(), ['a', 'büc', 'x'.repeat(5 * AT_ONCE), 'd']);
  write('2026-11-21T22', 'late\n');
  write('2026-11-21T23', '\ne\n');
  assert.deepEqual(await read(), ['late', 'e']);
  assert.deepEqual(await read(), []);
});

test('a line waits for its end while its hour goes on, and is none when nobody ends it any more', async (t) => {
  await using db = await testDatabase();
  const { directory, positions, write, read } = rig(t, db);
  write(NEXT_DAY, 'a\nhal');
  assert.deepEqual(await read(), ['a']);
  assert.deepEqual(await unread(directory, await positions()), [{ file: `${NEXT_DAY}.jsonl`, bytes: 3 }]);
  write(NEXT_DAY, 'f\n');
  assert.deepEqual(await read(), ['half']);
  write('2020-01-01T00', 'b\nhal');
  assert.deepEqual(await read(), ['b']);
  assert.deepEqual(await unread(directory, await positions()), []);
});

test('files that are wanted yet stay beyond their time, positions of removed ones are forgotten', async (t) => {
  await using db = await testDatabase();
  const { directory, positions, write, read } = rig(t, db);
  write('2020-01-01T00', 'a\n');
  await read();
  write('2020-01-01T01', 'b\n');
  const wanted = (await unread(directory, await positions())).map(({ file }) => file);
  assert.equal(await removeSpool(directory, new Date(), wanted), 1);
  assert.deepEqual(readdirSync(directory), ['2020-01-01T01.jsonl']);
  await forgetRemoved(db.pool, directory);
  assert.equal((await positions()).size, 0);
  await read();
  assert.equal((await positions()).size, 1);
});
