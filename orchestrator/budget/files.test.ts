// The ledger by day as files that fit it, and reports that are made once when their time has come.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { transaction } from '../db/connect.ts';
import { writeCharges } from './charge.ts';
import { exportLedger, lastWhole, makeScheduledReports, wrongExport } from './files.ts';
import { forecastOf } from './report.ts';
import { BOOKS, charge, payers } from './testing/books.ts';

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'autocode-financial-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

test('each day of the ledger that is over is written once, and a changed file is found', async (t) => {
  await using db = await testDatabase();
  const directory = scratch(t);
  await transaction(db.pool, async (tx) => await writeCharges(tx, [charge(), charge()], BOOKS));
  assert.equal(await exportLedger(db.pool, directory), 0, 'today is not over');
  await db.pool.query('alter table ledger_entry disable trigger ledger_append_only');
  await db.pool.query(`update ledger_entry set at = at - interval '1 day'`);
  assert.equal(await exportLedger(db.pool, directory), 1);
  assert.equal(await exportLedger(db.pool, directory), 0);
  const [name = ''] = readdirSync(directory);
  const text = readFileSync(join(directory, name), 'utf8');
  assert.deepEqual(
    text
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { amount: number; seq: number }).seq),
    [1, 2],
  );
  assert.equal(await wrongExport(db.pool, directory), null);
  writeFileSync(join(directory, name), text.replace('1000', '1001'));
  assert.match((await wrongExport(db.pool, directory)) ?? '', /is not what the ledger has of that day/);
});

test('a scheduled report is made once, of the whole period before its time', async (t) => {
  await using db = await testDatabase();
  const directory = scratch(t);
  const hostile = payers({ project: '<script>alert(1)</script>' });
  await transaction(db.pool, async (tx) => await writeCharges(tx, [charge({ payers: hostile })], BOOKS));
  await db.pool.query(`update usage_day set day = day - 1`);
  const reports = [
    { name: 'daily', cron: '0 0 * * *', period: 'day', by: 'project', format: 'html' } as const,
  ];
  const [file = ''] = await makeScheduledReports(db.pool, reports, directory, { ...BOOKS, gpus: [] });
  assert.match(file, /^daily-\d{4}-\d\d-\d\d\.html$/);
  assert.deepEqual(await makeScheduledReports(db.pool, reports, directory, { ...BOOKS, gpus: [] }), []);
  const page = readFileSync(join(directory, file), 'utf8');
  assert.match(page, /&lt;script&gt;alert\(1\)/);
  assert.doesNotMatch(page, /<script/);
  assert.match(page, /0\.0010 EUR/);
});

test('the last whole period is that of the time zone', () => {
  const newYear = new Date('2026-01-01T02:00:00Z'); // 2025-12-31 in New York
  assert.deepEqual(lastWhole('month', newYear, 'America/New_York'), { from: '2025-11-01', to: '2025-11-30' });
  assert.deepEqual(lastWhole('month', newYear, 'UTC'), { from: '2025-12-01', to: '2025-12-31' });
  assert.deepEqual(lastWhole('week', newYear, 'UTC'), { from: '2025-12-22', to: '2025-12-28' });
  assert.deepEqual(lastWhole('day', newYear, 'UTC'), { from: '2025-12-31', to: '2025-12-31' });
});

test('a forecast goes on at the rate of the days so far', () => {
  const month = { from: '2026-04-01', to: '2026-04-30' };
  assert.equal(forecastOf(10, { ...month, today: '2026-04-10' }), 30);
  assert.equal(forecastOf(10, { ...month, today: '2026-04-30' }), null);
  assert.equal(forecastOf(10, { ...month, today: '2026-03-31' }), null);
});
