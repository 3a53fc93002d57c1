// What becomes of one item: the one place that says so, in the transaction that does it. The row that claims an item's key is
// written first, so that of any number of equal ones at once a single one goes on, and everything it does commits with it.
// Used by work.ts and approval.ts.
import type { Verdict } from '../../protocol/intake.ts';
import type { Queryable } from '../db/connect.ts';
import { findIncident, lockIncidents, timeOf } from '../incidents/find.ts';
import type { IncidentRules } from '../incidents/rules.ts';
import type { TaskDefaults } from '../tasks/create.ts';
import { act } from './act.ts';
import { projectOf } from './project-of.ts';
import { signalOf } from './signal-of.ts';
import type { Source } from './source.ts';
import { doubtOf } from './trust.ts';
import { titleOf } from './wording.ts';
import type { WorkItem } from './work-item.ts';

/** What decisions work with. */
export interface DecideDeps {
  /** What the configuration says of new tasks. */
  defaults: Omit<TaskDefaults, 'actor' | 'source' | 'from'>;
  /** What it says of alarms that belong together. */
  incidents: IncidentRules;
}

/** What became of an item; `task` is what it led to, or belongs to. */
export interface Decision {
  verdict: Verdict;
  reason: string | null;
  task: number | null;
  incident?: number | null;
}

/** Decides about an item of a delivery; one that this delivery has had decided already stays as it is. */
export async function decide(
  tx: Queryable,
  deps: DecideDeps,
  { source, scope, delivery }: { source: Source; scope: string; delivery: number },
  item: WorkItem,
): Promise<Decision | undefined> {
  if (item.kind === 'signal') await lockIncidents(tx);
  await lockSubject(tx, scope, item.subject ?? item.key);
  const claimed = await claim(tx, { source, scope, delivery }, item);
  if (claimed === undefined) return await noteDuplicate(tx, { source, scope, delivery }, item);
  const doubt =
    (item.ignored === undefined ? undefined : { verdict: 'ignored' as const, reason: item.ignored }) ??
    (await staleness(tx, scope, item, claimed)) ??
    (await doubtOf(tx, source, item, claimed, await isNews(tx, deps, { source, scope }, item)));
  const decision =
    doubt === undefined ? await act(tx, deps, { source, scope }, item) : { ...doubt, task: null };
  const project =
    decision.task === null ? await projectOf(tx, deps.incidents, { source, scope }, item) : null;
  await settle(tx, claimed, decision, project);
  return decision;
}

/** Whether work may begin by it: an alarm of an incident that goes on, or one that is over, starts none. */
async function isNews(
  tx: Queryable,
  { incidents }: DecideDeps,
  { source, scope }: { source: Source; scope: string },
  item: WorkItem,
): Promise<boolean> {
  if (item.kind !== 'signal') return true;
  if (item.state === 'resolved') return false;
  const signal = signalOf(source, scope, item, incidents);
  const found = await findIncident(tx, incidents, signal, await timeOf(tx, signal));
  return found === undefined || found.state === 'resolved';
}

/**
 * Writes what became of an item; one that was ignored claims nothing, so that the same may be taken another time. `project` is
 * whose it is where it led to no task.
 */
export async function settle(
  tx: Queryable,
  item: number,
  { verdict, reason, task, incident }: Decision,
  project: number | null = null,
): Promise<void> {
  await tx.query(
    `update intake_item set verdict = $2, reason = $3, task = $4, incident = $5, claims = $2 <> 'ignored',
       project = coalesce((select project from task where id = $4), $6, project) where id = $1`,
    [item, verdict, reason, task, incident ?? null, project],
  );
}

/** Two items of one subject are decided one after the other: the second sees the first one's task. */
export async function lockSubject(tx: Queryable, scope: string, subject: string): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(hashtextextended('intake ' || $1 || ' ' || $2, 0))`, [
    scope,
    subject,
  ]);
}

interface Place {
  source: Source;
  scope: string;
  delivery: number;
}

async function claim(tx: Queryable, place: Place, item: WorkItem): Promise<number | undefined> {
  const { rows } = await tx.query<{ id: number }>({
    name: 'claim-intake-key',
    text: `insert into intake_item (delivery, source, scope, key, subject, order_at, actor, title, verdict, claims)
           values ($1, $2, $3, $4, $5, $6, $7, $8, 'ignored', true)
           on conflict (scope, key) where claims do nothing returning id`,
    values: valuesOf(place, item),
  });
  return rows[0]?.id;
}

async function noteDuplicate(tx: Queryable, place: Place, item: WorkItem): Promise<Decision | undefined> {
  const { rows } = await tx.query<{
    id: number;
    delivery: number;
    task: number | null;
    project: number | null;
  }>('select id, delivery, task, project from intake_item where scope = $1 and key = $2 and claims', [
    place.scope,
    item.key,
  ]);
  const first = rows[0]!;
  if (first.delivery === place.delivery) return undefined;
  const reason =
    first.task === null
      ? `Duplicate of item ${first.id}.`
      : `Duplicate of item ${first.id}, task ${first.task}.`;
  await tx.query({
    name: 'note-intake-duplicate',
    text: `insert into intake_item (delivery, source, scope, key, subject, order_at, actor, title, verdict, claims, reason, task, project)
           values ($1, $2, $3, $4, $5, $6, $7, $8, 'duplicate', false, $9, $10, $11)`,
    values: [...valuesOf(place, item), reason, first.task, first.project],
  });
  return { verdict: 'duplicate', reason, task: first.task };
}

function valuesOf({ delivery, source, scope }: Place, item: WorkItem): unknown[] {
  const { key, subject, at, actor } = item;
  return [delivery, source.name, scope, key, subject, at, actor?.slice(0, 200) ?? null, titleOf(item)];
}

/**
 * Why a state changes nothing; `claimed` is the item's own row. What is said about a thing is said whenever it arrives; a state
 * that is older than the newest known is over. The source itself is believed also where nothing came of it: an OK that overtakes
 * its ALARM has no task, and yet is newer.
 */
export async function staleness(
  tx: Queryable,
  scope: string,
  { kind, subject, at }: WorkItem,
  claimed: number,
): Promise<{ verdict: 'ignored'; reason: string } | undefined> {
  if (kind !== 'signal' || subject === null || at === null) return undefined;
  const { rows } = await tx.query<{ newest: Date | null }>(
    `select max(order_at) as newest from intake_item where scope = $1 and subject = $2 and id <> $3
       and (claims or verdict = 'ignored' and actor is null)`,
    [scope, subject, claimed],
  );
  const newest = rows[0]?.newest;
  if (newest == null || newest <= at) return undefined;
  return {
    verdict: 'ignored',
    reason: `It is of ${at.toISOString()}; a state of ${newest.toISOString()} is known.`,
  };
}
