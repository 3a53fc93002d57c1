// The next delivery of some channels, with where it goes and what it says now. Used by deliveries.ts.
import { RIGHTS, roleIn, type Rights } from '../access/rights.ts';
import type { NotificationSettings } from '../config/notification-settings.ts';
import type { Queryable } from '../db/connect.ts';
import type { Item, Message } from './message.ts';
import { UNCONFIRMED } from './outcome.ts';
import { cut } from './plain.ts';
import type { Browser } from './push/send.ts';
import type { Target } from './send.ts';

/** A delivery whose try was noted. `target` is why there is none, where it cannot go out. */
export interface Next {
  id: number;
  channel: string;
  tries: number;
  message: Message;
  target: Target | { kind: 'none'; why: string };
}

interface Row {
  id: number;
  channel: string;
  tries: number;
  message: string;
  kind: string;
  projectId: number | null;
  project: string | null;
  task: number | null;
  title: string;
  body: string;
  path: string | null;
  count: number;
  at: Date;
  person: number | null;
  rights: Rights | null;
  address: string | null;
  confirmed: boolean;
  browser: Browser | null;
}

const PARTS_IN_BODY = 50;
/** Longer than a try takes; after it a try that nobody noted counts as not made. */
const TRY_SECONDS = 60;

/** Takes the next one that is due; its try is noted. */
export async function takeNext(
  db: Queryable,
  channels: string[],
  settings: NotificationSettings,
  urlOf: (path: string | null) => string | null,
): Promise<Next | undefined> {
  const { rows } = await db.query<Row>(
    `with next as (
       select id from notification_delivery where state = 'waiting' and channel = any($1) and retry_at <= now()
       order by id limit 1 for update skip locked),
     taken as (
       update notification_delivery d set tries = tries + 1, retry_at = now() + make_interval(secs => $2)
       from next where d.id = next.id returning d.*)
     select d.id, d.channel, d.tries, d.message, d.kind, d.project as "projectId",
       (select name from project where id = d.project) as project, d.task, d.title, d.body, d.path, d.count, d.at, d.person,
       case when p.id is not null and p.disabled_at is null then ${RIGHTS} end as rights,
       case when s.email then p.email end as address, p.email_verified_at is not null as confirmed,
       case when b.id is not null then jsonb_build_object('endpoint', b.endpoint, 'p256dh', b.p256dh, 'auth', b.auth,
         'path', d.path, 'notification', (select n.id from notification n where n.event = d.event and n.person = d.person)) end as browser
     from taken d left join person p on p.id = d.person left join notification_settings s on s.person = d.person
       left join push_subscription b on b.person = d.person and d.channel = 'push:' || b.id`,
    [channels, TRY_SECONDS],
  );
  const row = rows[0];
  if (row === undefined) return undefined;
  const { id, channel, tries } = row;
  const items = row.kind === 'digest' ? await itemsOf(db, row, urlOf) : undefined;
  return {
    id,
    channel,
    tries,
    message: messageOf(row, items, urlOf),
    target: targetOf(row, items, settings),
  };
}

function messageOf(
  row: Row,
  items: Item[] | undefined,
  urlOf: (path: string | null) => string | null,
): Message {
  const { message, kind, project, task, at } = row;
  const title = items === undefined ? counted(row) : inNumbers(items.length);
  const body = items === undefined ? row.body : bodyOf(items);
  return {
    id: message,
    kind,
    project,
    task,
    title,
    body,
    url: urlOf(row.path),
    ...(items === undefined ? {} : { items }),
    at,
  };
}

function targetOf(row: Row, items: Item[] | undefined, { channels }: NotificationSettings): Next['target'] {
  const { channel, person, rights, address, confirmed, browser } = row;
  if (person === null)
    return (
      channels.find(({ name }) => name === channel) ?? {
        kind: 'none',
        why: `The configuration has no channel ${channel}.`,
      }
    );
  const may =
    rights !== null && (items === undefined ? roleIn(rights, row.projectId) !== null : items.length > 0);
  if (!may) return { kind: 'none', why: 'This person may not be told of it any more.' };
  if (channel.startsWith('email:')) {
    if (address === null) return { kind: 'none', why: 'This person wants no email any more.' };
    return confirmed ? { kind: 'email', to: address } : { kind: 'none', why: UNCONFIRMED };
  }
  return browser === null
    ? { kind: 'none', why: 'This browser is not subscribed any more.' }
    : { kind: 'push', ...browser };
}

// What has gone out of the sight of the person since then is not told.
async function itemsOf(
  db: Queryable,
  { id, person, rights }: Row,
  urlOf: (path: string | null) => string | null,
): Promise<Item[]> {
  const { rows } = await db.query<Row>(
    `select d.kind, d.project as "projectId", q.name as project, d.task, d.title, d.path, d.count
     from notification_delivery d left join project q on q.id = d.project where d.digest = $1 order by d.at, d.id`,
    [id],
  );
  return rows
    .filter(({ projectId }) => person === null || (rights !== null && roleIn(rights, projectId) !== null))
    .map(({ path, kind, project, task, ...row }) => ({
      kind,
      project,
      task,
      title: counted(row),
      url: urlOf(path),
    }));
}

function counted({ title, count }: Pick<Row, 'title' | 'count'>): string {
  return count === 1 ? title : `${title} (${count} times)`;
}

function inNumbers(count: number): string {
  return count === 1 ? '1 notification' : `${count} notifications`;
}

function bodyOf(items: Item[]): string {
  const lines = items
    .slice(0, PARTS_IN_BODY)
    .map(({ title, project }) => cut(project === null ? title : `${title} (${project})`, 250));
  const more = items.length - lines.length;
  return [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}
