// Turns the outbox into inboxes and deliveries, by the rules: in one transaction with the place up to which it was read, so that
// each event is told once whatever ends in between. A chore of the scheduler (daemon/notifications.ts).
import type { Event } from '../../protocol/event.ts';
import { RIGHTS, roleIn, type Rights } from '../access/rights.ts';
import type { NotificationSettings } from '../config/notification-settings.ts';
import { transaction, type Database, type Queryable } from '../db/connect.ts';
import { emit, readEvents } from '../events/outbox.ts';
import type { Holding } from './hold.ts';
import { WISHES } from './own-settings.ts';
import { tellInbox, tellPlace, type Place } from './telling.ts';
import { told, type Named } from './wording.ts';

const PAGE = 200;

interface Rule {
  person: number | null;
  name: string | null;
  project: number | null;
  kinds: string[];
  ownTasks: boolean;
  rights: Rights | null;
  places: Place[];
}

/** Of a rule's person: whether there is an address that is confirmed, which browsers, and what holds. */
interface Row extends Omit<Rule, 'places'> {
  channels: string[];
  address: boolean;
  browsers: number[];
  wishes: Holding & { email: boolean };
}

/** Reads what is new and tells it; how many events were looked at. */
export async function takeEvents(
  db: Database,
  settings: NotificationSettings,
  signal: AbortSignal,
): Promise<number> {
  let count = 0;
  for (let taken = PAGE; taken === PAGE && !signal.aborted; count += taken)
    taken = await takePage(db, settings);
  return count;
}

async function takePage(db: Database, settings: NotificationSettings): Promise<number> {
  return await transaction(db, async (tx) => {
    const { rows } = await tx.query<{ cursor: string; now: Date }>(
      'select cursor, now() as now from notification_cursor for update',
    );
    if (rows[0] === undefined) return 0;
    const { cursor, now } = rows[0];
    const events = await readEvents(tx, { after: cursor, limit: PAGE });
    if (events.length === 0) return 0;
    const rules = await rulesNow(tx, settings);
    const when = { now, repeatMinutes: settings.repeatMinutes };
    for (const event of rules.length === 0 ? [] : events) await take(tx, event, rules, when);
    await tx.query('update notification_cursor set cursor = $1', [events.at(-1)!.id]);
    return events.length;
  });
}

// Whoever is disabled is told nothing.
async function rulesNow(tx: Queryable, settings: NotificationSettings): Promise<Rule[]> {
  const { rows } = await tx.query<Row>(
    `select n.person, p.name, n.project, n.kinds, n.own_tasks as "ownTasks", n.channels,
       case when p.id is not null then ${RIGHTS} end as rights,
       p.email_verified_at is not null as address, ${WISHES} as wishes,
       array(select b.id from push_subscription b where b.person = n.person order by b.id) as browsers
     from notification_rule n left join person p on p.id = n.person left join notification_settings s on s.person = n.person
     where p.disabled_at is null`,
  );
  return rows.map(({ person, name, project, kinds, ownTasks, rights, ...row }) => ({
    person,
    name,
    project,
    kinds,
    ownTasks,
    rights,
    places: [
      ...channelPlaces(row.channels, settings),
      ...(person === null ? [] : ownPlaces(person, row, settings)),
    ],
  }));
}

function channelPlaces(names: string[], { channels }: NotificationSettings): Place[] {
  return names.map((channel) => {
    const quiet = channels.find(({ name }) => name === channel)?.quietHours;
    const holding: Holding | null =
      quiet === undefined
        ? null
        : { digest: 'off', digestAt: '00:00', timeZone: quiet.timeZone, quietHours: quiet };
    return { channel, person: null, holding };
  });
}

function ownPlaces(
  person: number,
  { address, browsers, wishes }: Pick<Row, 'address' | 'browsers' | 'wishes'>,
  { email, push }: NotificationSettings,
): Place[] {
  const names = [
    ...(email !== undefined && wishes.email && address ? [`email:${person}`] : []),
    ...(push.enabled ? browsers.map((id) => `push:${id}`) : []),
  ];
  return names.map((channel) => ({ channel, person, holding: wishes }));
}

async function take(
  tx: Queryable,
  event: Event,
  rules: Rule[],
  when: { now: Date; repeatMinutes: number },
): Promise<void> {
  // The kind alone needs no names: most events end here.
  const kind = told({ event, projectName: null, taskTitle: null })?.kind;
  const concerned = rules.filter((rule) => kind !== undefined && wants(rule, kind, event.project));
  if (concerned.length === 0) return;
  const { projectName, taskTitle, giver } = await namesOf(tx, event);
  const wanted = concerned.filter(({ ownTasks, name }) => !ownTasks || name === giver);
  if (wanted.length === 0) return;
  const telling = {
    ...told({ event, projectName, taskTitle })!,
    event: event.id,
    project: projectName === null ? null : event.project,
    task: event.task,
    at: new Date(event.at),
  };
  for (const person of new Set(wanted.map((rule) => rule.person)))
    await tellInbox(tx, telling, person, when.repeatMinutes);
  await emit(tx, {
    kind: 'notification.told', // open pages look into their inboxes
    ...(event.project === null ? {} : { project: event.project }),
    ...(event.task === null ? {} : { task: event.task }),
    data: { kind: telling.kind },
  });
  const places = new Map(wanted.flatMap((rule) => rule.places).map((place) => [place.channel, place]));
  for (const place of places.values()) await tellPlace(tx, telling, place, when);
}

/** What an event is about, and who gave the task. */
type Names = Omit<Named, 'event'> & { giver: string | null };

async function namesOf(tx: Queryable, { project, task }: Event): Promise<Names> {
  const { rows } = await tx.query<Names>(
    `select p.name as "projectName", t.title as "taskTitle", t.created_by as giver
     from (select) one left join project p on p.id = $1 left join task t on t.id = $2`,
    [project, task],
  );
  return rows[0]!;
}

// People are told of what they may see now: what is of no project only with a role in all.
function wants({ kinds, project, rights }: Rule, kind: string, of: number | null): boolean {
  return (
    kinds.includes(kind) &&
    (project === null || project === of) &&
    (rights === null || roleIn(rights, of) !== null)
  );
}
