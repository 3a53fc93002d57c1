// Sends what waits, each channel one after the other and the channels beside one another. A try is noted before it is made: what
// ends in between is made good after a while, with the same id. A chore of the scheduler (daemon/notifications.ts).
import type { Channel, NotificationSettings } from '../config/notification-settings.ts';
import type { Database, Queryable } from '../db/connect.ts';
import type { Message } from './message.ts';
import { send, type Outcome, type SendDeps } from './send.ts';

export interface DeliveryDeps extends SendDeps {
  db: Database;
  settings: NotificationSettings;
  /** Address of the web page, where the configuration says one. */
  publicUrl: string | undefined;
  log: { warn(message: string, fields?: object): void };
}

interface Taken {
  id: number;
  tries: number;
  message: string;
  kind: string;
  project: string | null;
  task: number | null;
  title: string;
  body: string;
  path: string | null;
  at: Date;
}

/** Longer than a try takes; after it a try that nobody noted counts as not made. */
const TRY_SECONDS = 60;
const FIRST_PAUSE_SECONDS = 5;
const LONGEST_PAUSE_SECONDS = 60 * 60;

/** Sends everything that is due. */
export async function sendDeliveries(deps: DeliveryDeps, signal: AbortSignal): Promise<void> {
  const { rows } = await deps.db.query<{ channel: string }>(
    `select distinct channel from notification_delivery where state = 'waiting' and retry_at <= now()`,
  );
  if (rows.length === 0) return;
  const known = new Map(deps.settings.channels.map((channel) => [channel.name, channel]));
  await Promise.all(
    rows.map(async ({ channel: name }) => {
      const channel = known.get(name);
      if (channel === undefined) await dropUnknown(deps.db, name);
      else while (!signal.aborted && (await sendNext(deps, channel, signal))) continue;
    }),
  );
}

async function sendNext(deps: DeliveryDeps, channel: Channel, signal: AbortSignal): Promise<boolean> {
  const taken = await takeNext(deps.db, channel.name);
  if (taken === undefined) return false;
  const outcome = await send(deps, channel, messageOf(taken, deps.publicUrl), signal);
  await note(deps, channel, taken, outcome);
  return outcome.sent || !outcome.away;
}

async function takeNext(db: Queryable, channel: string): Promise<Taken | undefined> {
  const { rows } = await db.query<Taken>(
    `with next as (
       select id from notification_delivery where state = 'waiting' and channel = $1 and retry_at <= now()
       order by id limit 1 for update skip locked)
     update notification_delivery d set tries = tries + 1, retry_at = now() + make_interval(secs => $2)
     from next where d.id = next.id
     returning d.id, d.tries, d.message, d.kind, (select name from project where id = d.project) as project, d.task,
       d.title, d.body, d.path, d.at`,
    [channel, TRY_SECONDS],
  );
  return rows[0];
}

/** What a channel is told of a delivery. */
function messageOf({ message, path, ...taken }: Taken, publicUrl: string | undefined): Message {
  const { kind, project, task, title, body, at } = taken;
  const url = publicUrl === undefined || path === null ? null : `${publicUrl.replace(/\/+$/, '')}${path}`;
  return { id: message, kind, project, task, title, body, url, at };
}

async function note(
  { db, settings, log }: DeliveryDeps,
  { name }: Channel,
  { id, tries }: Taken,
  outcome: Outcome,
): Promise<void> {
  if (outcome.sent) {
    await db.query(
      `update notification_delivery set state = 'sent', trouble = null, ended_at = now() where id = $1`,
      [id],
    );
    return;
  }
  const { trouble, again, away, afterSeconds } = outcome;
  const pause = Math.max(
    afterSeconds,
    Math.min(FIRST_PAUSE_SECONDS * 2 ** (tries - 1), LONGEST_PAUSE_SECONDS),
  );
  const { rows } = await db.query<{ state: string }>(
    `update notification_delivery set trouble = $2, retry_at = now() + make_interval(secs => $3),
       (state, ended_at) = (select case when over then 'failed' else 'waiting' end, case when over then now() end
         from (select not $4 or created_at < now() - make_interval(secs => $5::float8 * 3600) as over) decided)
     where id = $1 returning state`,
    [id, trouble.slice(0, 1000), pause, again, settings.giveUpHours],
  );
  if (rows[0]?.state === 'failed')
    log.warn(`notification ${id} for the channel ${name} was given up: ${trouble}`);
  // What takes nothing now is left alone until then, with all that waits for it.
  if (away)
    await db.query(
      `update notification_delivery set retry_at = greatest(retry_at, now() + make_interval(secs => $2))
       where channel = $1 and state = 'waiting'`,
      [name, pause],
    );
}

async function dropUnknown(db: Queryable, channel: string): Promise<void> {
  await db.query(
    `update notification_delivery set state = 'failed', ended_at = now(), trouble = $2 where channel = $1 and state = 'waiting'`,
    [channel, `The configuration has no channel ${channel}.`],
  );
}
