// Whether an item may do something by itself: who caused it, how much came already, how it reads. Used by decide.ts.
import type { Trust } from '../../protocol/intake.ts';
import type { Queryable } from '../db/connect.ts';
import { suspicion } from './signs.ts';
import { isInTeam, isTeam } from './teams.ts';
import type { WorkItem } from './work-item.ts';

/** What stands against an item. */
export interface Doubt {
  verdict: 'ignored' | 'quarantined';
  reason: string;
}

const EVERYBODY = '*';
const NO_TEAM = { member: false, unknown: [] };

/**
 * Undefined where nothing does. `claimed` is the item's own row, which does not count against it; `news`: work may begin by it.
 * Of alarms only those count that work began by, so that a storm of them is told in full and starts no more than it may.
 */
export async function doubtOf(
  tx: Queryable,
  { name, trust }: { name: string; trust: Trust },
  item: WorkItem,
  claimed: number,
  news: boolean,
): Promise<Doubt | undefined> {
  if (!mayStart(trust, item)) {
    const teams = trust.actors.filter(isTeam);
    const { member, unknown } =
      teams.length === 0 ? NO_TEAM : await isInTeam(tx, name, teams, item.actor ?? '');
    if (!member) return { verdict: 'ignored', reason: strangerReason(name, trust, item, unknown) };
  }
  const much = news ? await tooMuch(tx, { name, trust }, item, claimed) : undefined;
  if (much !== undefined) return { verdict: 'quarantined', reason: much };
  const suspect =
    trust.quarantine && item.own !== true ? suspicion(`${item.title}\n${item.text}`) : undefined;
  if (suspect !== undefined)
    return { verdict: 'quarantined', reason: `A person is to look first: ${suspect}.` };
  return undefined;
}

/** By the names of the list alone: what a name looks like, as one that ends in `[bot]`, says nothing. */
export function mayStart({ actors }: Trust, { actor, byRight }: WorkItem): boolean {
  if (actor === null || actors.includes(EVERYBODY)) return true;
  if (actors.length === 0) return byRight;
  const wanted = actor.toLowerCase();
  return actors.some((each) => each.toLowerCase() === wanted);
}

function strangerReason(name: string, { actors }: Trust, { actor }: WorkItem, unknown: string[]): string {
  if (unknown.length > 0)
    return `${actor} is not among those whose words may start work by the source ${name}, and who is in ${unknown.join(', ')} is not known now: see \`autocode intake source test ${name}\`.`;
  return actors.length === 0
    ? `The source ${name} names nobody whose words may start work, and this took no right at the source; it was by ${actor}.`
    : `${actor} is not among those whose words may start work by the source ${name}.`;
}

async function tooMuch(
  tx: Queryable,
  { name, trust }: { name: string; trust: Trust },
  { actor, kind }: WorkItem,
  claimed: number,
): Promise<string | undefined> {
  const { rows } = await tx.query<{ all: number; own: number }>({
    name: 'intake-hour',
    text: `select count(*)::int as all, count(*) filter (where actor = $2)::int as own from intake_item
           where source = $1 and claims and id <> $3 and created_at > now() - interval '1 hour'
             and (not $4 or verdict in ('created', 'reopened'))`,
    values: [name, actor, claimed, kind === 'signal'],
  });
  const { all, own } = rows[0]!;
  if (all >= trust.perHour)
    return `The source ${name} has brought ${all} items within an hour; ${trust.perHour} are taken.`;
  if (actor !== null && own >= trust.perActorPerHour)
    return `${actor} has caused ${own} items within an hour; ${trust.perActorPerHour} are taken.`;
  return undefined;
}
