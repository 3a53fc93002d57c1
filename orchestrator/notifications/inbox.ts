// The inbox: what a person was told, or the installation where no person asks. Used by the API.
import type {
  Inbox,
  Notification,
  NotificationKind,
  ReadNotifications,
} from '../../protocol/notification.ts';
import type { Queryable } from '../db/connect.ts';

/** Whose inbox it is, and the projects that may be told of; undefined: all. */
export interface Reader {
  person: number | null;
  projects: number[] | undefined;
}

type Row = Omit<Notification, 'at' | 'firstAt' | 'readAt'> & { when: Date; first: Date; read: Date | null };
const OWN = `n.person is not distinct from $1::bigint and ($2::bigint[] is null or n.project = any($2))`;

/** What is shown of it; what is left out does not narrow. */
export interface InboxQuery {
  unread: boolean;
  kind?: NotificationKind | undefined;
  project?: string | undefined;
  before?: number | undefined;
  limit: number;
}

/** The newest first, and how many are unread in all of it. */
export async function readInbox(
  db: Queryable,
  { person, projects }: Reader,
  { unread, kind, project, before, limit }: InboxQuery,
): Promise<Inbox> {
  const own = [person, projects ?? null];
  const { rows } = await db.query<Row>(
    `select n.id, n.kind, q.name as project, n.task, n.title, n.body, n.path, n.at as when, n.read_at as read,
       n.count, coalesce(n.first_at, n.at) as first
     from notification n left join project q on q.id = n.project
     where ${OWN} and ($3::bigint is null or n.id < $3) and (not $4 or n.read_at is null)
       and ($6::text is null or n.kind = $6) and ($7::text is null or q.name = $7) order by n.id desc limit $5`,
    [...own, before ?? null, unread, limit, kind ?? null, project ?? null],
  );
  const { rows: counts } = await db.query<{ unread: number }>(
    `select count(*)::int as unread from notification n where ${OWN} and n.read_at is null`,
    own,
  );
  const notifications = rows.map(({ when, first, read, ...row }) => ({
    ...row,
    at: when.toISOString(),
    firstAt: first.toISOString(),
    readAt: read?.toISOString() ?? null,
  }));
  return { unread: counts[0]!.unread, notifications };
}

/** Notes that everything up to one was read, or some of them; how many were not before. */
export async function markRead(
  db: Queryable,
  { person, projects }: Reader,
  read: ReadNotifications,
): Promise<number> {
  const { rowCount } = await db.query(
    `update notification n set read_at = now() where ${OWN} and n.read_at is null
       and ${'upTo' in read ? 'n.id <= $3' : 'n.id = any($3)'}`,
    [person, projects ?? null, 'upTo' in read ? read.upTo : read.only],
  );
  return rowCount ?? 0;
}

/** Forgets what is older; how many rows. */
export async function forgetNotifications(db: Queryable, days: number): Promise<number> {
  let removed = 0;
  for (const statement of [
    'delete from notification where at < now() - make_interval(secs => $1::float8 * 86400)',
    `delete from notification_delivery where state not in ('held','waiting') and created_at < now() - make_interval(secs => $1::float8 * 86400)`,
  ]) {
    const { rowCount } = await db.query(statement, [days]);
    removed += rowCount ?? 0;
  }
  return removed;
}
