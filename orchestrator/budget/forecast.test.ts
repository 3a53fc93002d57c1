// What budgets come to, by hand and from the books.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { transaction } from '../db/connect.ts';
import { forecastBudgets, forecastOf } from './forecast.ts';
import { budget } from './testing/books.ts';

const NOON = Date.parse('2026-11-20T12:00:00Z');

test('at the pace of the last days a budget runs out in its period, or not', () => {
  const spending = { spent: 300, recent: 75, days: 7.5, left: 10.5 };
  assert.deepEqual(forecastOf(spending, 350, NOON), {
    pace: 10,
    atEnd: 405,
    runsOut: '2026-11-25T12:00:00.000Z',
  });
  assert.deepEqual(forecastOf(spending, 1_000, NOON), { pace: 10, atEnd: 405, runsOut: null });
  const over = forecastOf(spending, 200, NOON);
  assert.equal(over?.runsOut, '2026-11-20T12:00:00.000Z', 'it has run out');
  const ever = { ...spending, left: null };
  assert.deepEqual(
    [forecastOf(ever, 350, NOON)?.atEnd, forecastOf(ever, 9_000, NOON)?.runsOut],
    [null, null],
  );
  assert.equal(forecastOf({ ...spending, days: 0.9 }, 350, NOON), null, 'part of a day says nothing');
  const idle = forecastOf({ ...spending, recent: 0 }, 350, NOON);
  assert.deepEqual(idle, { pace: 0, atEnd: 300, runsOut: null });
});

const SPENT = [
  ['appliance', '', 40, 50_000],
  ['appliance', '', 7, 700],
  ['project', 'small', 40, 9_000],
  ['project', 'small', 1, 900],
  ['project', 'large', 1, 1_000],
  ['project', 'new', 0, 5_000],
  ['run', '1-1', 3, 100],
] as const;

test('the pace is that of a week, or since the beginning; of a budget for each the first to run out is told', async () => {
  await using db = await testDatabase();
  await budget(db.pool, ['appliance', ''], 'total', 'money', 100_000);
  await budget(db.pool, ['project', '*'], 'total', 'money', 10_000);
  await budget(db.pool, ['project', 'new'], 'month', 'money', 10_000);
  await budget(db.pool, ['run', '*'], 'total', 'money', 10_000);
  // In one transaction, whose clock stands still: midnight may be near.
  const found = await transaction(db.pool, async (tx) => {
    for (const [scope, subject, daysAgo, money] of SPENT)
      await tx.query(
        `insert into account_day values ($1, $2, (now() at time zone 'UTC')::date - $3::int, $4, 0, 0)`,
        [scope, subject, daysAgo, money],
      );
    return await forecastBudgets(tx, 'UTC');
  });
  const of = (subject: string, scope = 'project') =>
    found.find((each) => each.scope === scope && each.subject === subject)?.forecast;
  const week = of('', 'appliance')!;
  assert.ok(
    week.pace >= 87 && week.pace <= 100,
    `${week.pace} a day of 700 in more than seven and less than eight`,
  );
  assert.equal(week.runsOut, null, 'in more than a year');
  const first = of('*')!;
  assert.ok(first.pace >= 112 && first.pace <= 129, 'of the small one, which runs out within a day');
  assert.ok(Date.parse(first.runsOut!) - Date.now() < 86_400_000);
  assert.deepEqual([of('new'), of('*', 'run')], [null, null]);
});
