// Quiet hours: times in which no run begins. Which classes of a project's tasks are quiet now is kept in its row, where the order of
// work goes by it; the sweep and the claim keep it right, by the database's clock. Tasks stay in their place meanwhile.
import { Cron } from 'croner';
import { DAYS, TASK_CLASSES, type QuietHours, type TaskClass } from '../../protocol/order-of-work.ts';
import type { Queryable } from '../db/connect.ts';
import { arrangeQueue, lockProject } from './queue.ts';

const LONGEST_CHAIN = 100;

/** The classes of which no run begins at that time. */
export function quietClasses(now: Date, hours: readonly QuietHours[]): TaskClass[] {
  const at = hours.filter((window) => isWithin(now, window));
  return TASK_CLASSES.filter((one) => at.some(({ except }) => !except.includes(one)));
}

/** When runs of a class begin again, by the quiet hours that hold at that time. */
export function quietUntil(now: Date, hours: readonly QuietHours[], one: TaskClass): Date {
  let until = now;
  for (let step = 0; step < LONGEST_CHAIN; step++) {
    const at = hours.filter((window) => !window.except.includes(one) && isWithin(until, window));
    if (at.length === 0) break;
    until = at.map((window) => endAfter(until, window)).reduce((a, b) => (a > b ? a : b));
  }
  return until;
}

function isWithin(now: Date, { days, from, to, timeZone }: QuietHours): boolean {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(now);
  const part = (type: string) => parts.find((each) => each.type === type)!.value;
  const time = `${part('hour')}:${part('minute')}`;
  const today = DAYS.findIndex((day) => day === part('weekday').toLowerCase());
  const begins = (day: number) => days.includes(DAYS[(day + DAYS.length) % DAYS.length]!);
  if (from < to) return begins(today) && time >= from && time < to;
  return (begins(today) && time >= from) || (begins(today - 1) && time < to);
}

function endAfter(now: Date, { to, timeZone }: QuietHours): Date {
  const [hour, minute] = to.split(':').map(Number);
  return new Cron(`${minute} ${hour} * * *`, { timezone: timeZone }).nextRun(now)!;
}

/** Projects whose quiet hours have begun, ended or changed, and which classes are quiet there now. */
export async function unsettledQuiet(
  db: Queryable,
  configured: readonly QuietHours[],
): Promise<{ id: number; quiet: TaskClass[] }[]> {
  const { rows: clock } = await db.query<{ now: Date }>('select now() as now');
  const { now } = clock[0]!;
  const usual = quietClasses(now, configured);
  const { rows } = await db.query<{ id: number; quiet: TaskClass[]; hours: QuietHours[] | null }>(
    `select id, quiet, quiet_hours as hours from project
     where archived_at is null and (quiet_hours is not null or quiet <> $1)`,
    [usual],
  );
  const wanted = rows.map(({ id, quiet, hours }) => ({
    id,
    was: quiet,
    quiet: hours === null ? usual : quietClasses(now, hours),
  }));
  return wanted.filter(({ was, quiet }) => was.join() !== quiet.join());
}

/** Notes which classes of a project are quiet; tasks of others get their turns. */
export async function noteQuiet(
  tx: Queryable,
  { id, quiet }: { id: number; quiet: TaskClass[] },
): Promise<void> {
  await lockProject(tx, id);
  await tx.query('update project set quiet = $2 where id = $1', [id, quiet]);
  await arrangeQueue(tx, id);
}
