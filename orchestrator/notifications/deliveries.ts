// Sends what waits, each lane one after the other and the lanes beside one another. A try is noted before it is made: what
// ends in between is made good after a while, with the same id. A chore of the scheduler (daemon/notifications.ts).
import type { NotificationSettings } from '../config/notification-settings.ts';
import type { Database, Queryable } from '../db/connect.ts';
import { releaseHeld } from './digest.ts';
import { takeNext, type Next } from './next.ts';
import { never, type Outcome } from './outcome.ts';
import { forgetSubscription } from './push/subscriptions.ts';
import { send, type SendDeps } from './send.ts';

export interface DeliveryDeps extends SendDeps {
  db: Database;
  settings: NotificationSettings;
  /** Address of the web page, where the configuration says one. */
  publicUrl: string | undefined;
  log: { warn(message: string, fields?: object): void };
}

const FIRST_PAUSE_SECONDS = 5;
const LONGEST_PAUSE_SECONDS = 60 * 60;
const LANES_AT_A_TIME = 8;
/** A lane with much to do lets the others look for what is new in between. */
const ROUND_MS = 10_000;

/** Sends what is due. */
export async function sendDeliveries(deps: DeliveryDeps, signal: AbortSignal): Promise<void> {
  const { rows } = await deps.db.query<{ channel: string; state: string }>(
    `select distinct channel, state from notification_delivery where state in ('held','waiting') and retry_at <= now()`,
  );
  if (rows.length === 0) return;
  const held = rows.filter(({ state }) => state === 'held').map(({ channel }) => channel);
  await releaseHeld(deps.db, held);
  const lanes = lanesOf(new Set(rows.map(({ channel }) => channel)), deps.settings).values();
  const until = performance.now() + ROUND_MS;
  const drive = async () => {
    // All of them take from one iterator: each lane is driven once.
    for (const channels of lanes)
      while (!signal.aborted && performance.now() < until && (await sendNext(deps, channels, signal)))
        continue;
  };
  await Promise.all(Array.from({ length: LANES_AT_A_TIME }, drive));
}

// All email goes by one server, which is asked for one thing at a time, and left alone as one when it is away.
function lanesOf(names: Set<string>, { channels }: NotificationSettings): Map<string, string[]> {
  const letters = new Set(channels.filter(({ kind }) => kind === 'email').map(({ name }) => name));
  return Map.groupBy(names, (name) => (name.startsWith('email:') || letters.has(name) ? 'email:' : name));
}

async function sendNext(deps: DeliveryDeps, channels: string[], signal: AbortSignal): Promise<boolean> {
  const next = await takeNext(deps.db, channels, deps.settings, (path) =>
    deps.publicUrl === undefined || path === null ? null : `${deps.publicUrl.replace(/\/+$/, '')}${path}`,
  );
  if (next === undefined) return false;
  const { target, message } = next;
  const outcome = target.kind === 'none' ? never(target.why) : await send(deps, target, message, signal);
  await note(deps, channels, next, outcome);
  return outcome.sent || !outcome.away;
}

async function note(
  { db, settings, log }: DeliveryDeps,
  channels: string[],
  { id, channel, tries }: Next,
  outcome: Outcome,
): Promise<void> {
  if (outcome.sent) {
    await db.query(
      `update notification_delivery set state = 'sent', trouble = null, ended_at = now() where id = $1`,
      [id],
    );
    return;
  }
  const { trouble, again, away, gone, afterSeconds } = outcome;
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
    log.warn(`notification ${id} for the channel ${channel} was given up: ${trouble}`);
  if (gone) await forgetSubscription(db, channel);
  // What takes nothing now is left alone until then, with all that waits for it.
  if (away) await leaveAlone(db, channels, pause);
}

async function leaveAlone(db: Queryable, channels: string[], seconds: number): Promise<void> {
  await db.query(
    `update notification_delivery set retry_at = greatest(retry_at, now() + make_interval(secs => $2))
     where channel = any($1) and state = 'waiting'`,
    [channels, seconds],
  );
}
