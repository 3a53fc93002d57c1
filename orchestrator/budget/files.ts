// What lies in the data directory's `financial`: the ledger as one JSONL file a day, and reports made by themselves.
// Used by the scheduler, `ledger verify` and main.ts.
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Cron } from 'croner';
import { writeFileAtomic } from '../config/atomic-file.ts';
import type { ScheduledReport } from '../config/budget-settings.ts';
import type { Queryable } from '../db/connect.ts';
import { makeReport, type ReportBooks } from './report.ts';
import { reportText } from './report-file.ts';

const FILE_MODE = 0o640;

/** Writes the days of the ledger that are over and have no file yet; how many. Days are UTC's. */
export async function exportLedger(db: Queryable, directory: string): Promise<number> {
  const there = new Set(await readdir(directory));
  const days = (await daysOf(db)).filter((day) => !there.has(`${day}.jsonl`));
  for (const day of days)
    await writeFileAtomic(join(directory, `${day}.jsonl`), await dayText(db, day), FILE_MODE);
  return days.length;
}

/** The first exported day that is not what the ledger has, if any. */
export async function wrongExport(db: Queryable, directory: string): Promise<string | null> {
  const names = await readdir(directory).catch(() => []); // nothing was exported yet
  for (const name of names.filter((each) => /^\d{4}-\d\d-\d\d\.jsonl$/.test(each)).sort()) {
    const text = await readFile(join(directory, name), 'utf8');
    if (text !== (await dayText(db, name.slice(0, 10))))
      return `financial/transactions/${name} is not what the ledger has of that day`;
  }
  return null;
}

async function daysOf(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ day: string }>(
    `select to_char(day, 'YYYY-MM-DD') as day from (select distinct (at at time zone 'UTC')::date as day from ledger_entry) days
     where day < (now() at time zone 'UTC')::date order by day`,
  );
  return rows.map(({ day }) => day);
}

async function dayText(db: Queryable, day: string): Promise<string> {
  const { rows } = await db.query<{ line: string }>(
    `select json_build_object('seq', seq, 'id', id, 'at', to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'kind', kind,
       'debit', debit, 'credit', credit, 'amount', amount, 'currency', currency, 'detail', detail::text, 'hash', encode(hash, 'hex'))::text as line
     from ledger_entry where at >= $1::date at time zone 'UTC' and at < ($1::date + 1) at time zone 'UTC' order by seq`,
    [day],
  );
  return rows.map(({ line }) => `${line}\n`).join('');
}

/** Makes the scheduled reports whose last time has come and that have no file yet; the names of those made. */
export async function makeScheduledReports(
  db: Queryable,
  reports: readonly ScheduledReport[],
  directory: string,
  books: ReportBooks,
): Promise<string[]> {
  const made: string[] = [];
  const there = new Set(reports.length === 0 ? [] : await readdir(directory));
  for (const { name, cron, period, by, format, project } of reports) {
    const due = new Cron(cron, { paused: true, mode: '5-part', timezone: books.timeZone }).previousRuns(1)[0];
    if (due === undefined) continue;
    const { from, to } = lastWhole(period, due, books.timeZone);
    const file = `${name}-${from}.${format}`;
    if (there.has(file)) continue;
    const report = await makeReport(db, { from, to, by, project }, books);
    await writeFileAtomic(join(directory, file), reportText(report, format), FILE_MODE);
    made.push(file);
  }
  return made;
}

/** The last whole day, week or month before a moment, in a time zone. */
export function lastWhole(
  period: 'day' | 'week' | 'month',
  moment: Date,
  timeZone: string,
): { from: string; to: string } {
  // In Swedish a date is written as in ISO 8601.
  const today = new Intl.DateTimeFormat('sv', { timeZone }).format(moment);
  const day = (text: string, more: number) => {
    const date = new Date(text);
    date.setUTCDate(date.getUTCDate() + more);
    return date.toISOString().slice(0, 10);
  };
  if (period === 'day') return { from: day(today, -1), to: day(today, -1) };
  if (period === 'week') {
    const monday = day(today, -((new Date(today).getUTCDay() + 6) % 7));
    return { from: day(monday, -7), to: day(monday, -1) };
  }
  const to = day(`${today.slice(0, 8)}01`, -1);
  return { from: `${to.slice(0, 8)}01`, to };
}
