// Asks a forge what happened since the last time, repository by repository. A repository that cannot be asked holds up no
// other: its own part of the cursor stays where it was. Used by sources/forge.ts.
import { z } from 'zod';
import type { Queryable } from '../db/connect.ts';
import type { ForgeFact } from '../repos/forge/facts.ts';
import { isAt, registeredAt, type RegisteredRepository } from '../repos/importable.ts';
import type { Polled, Source, SourceDeps } from './source.ts';
import { factDelivery, keyOfFact, type ForgeSourceSettings } from './forge-source.ts';

/** By repository, the time since when it is to be asked. */
const Cursor = z.record(z.string(), z.iso.datetime({ offset: true }));
/** Clocks differ, and lists are behind at times: what was seen already is not stored twice. */
const OVERLAP_MS = 5 * 60_000;
const DAY_MS = 24 * 60 * 60_000;

/** Everything new of the repositories that projects have at the forge. */
export async function askForge(
  { name, project, settings }: Source<ForgeSourceSettings>,
  given: unknown,
  { db, forges, log }: SourceDeps,
  signal: AbortSignal,
): Promise<Polled> {
  const cursor = { ...Cursor.safeParse(given).data };
  const facts: ForgeFact[] = [];
  const started = new Date();
  const troubles: string[] = [];
  for (const repository of await watched(db, settings, project)) {
    const since = cursor[repository.id] === undefined ? null : new Date(cursor[repository.id]!);
    try {
      const forge = await forges.open({ origin: repository.origin, forge: settings.forge });
      const query = {
        since: new Date((since ?? started).getTime() - OVERLAP_MS),
        labels: settings.labels,
        assignee: settings.assignee ?? null,
        changes: settings.reviews || settings.checks ? await openRequests(db, repository.id) : [],
      };
      const found = (await forge?.activity(query, signal)) ?? [];
      facts.push(...found);
      // While nothing comes the same is asked for again: that nothing has changed costs nothing of a rate limit.
      const isOld = since === null || started.getTime() - since.getTime() > DAY_MS;
      if (found.length > 0 || isOld) cursor[repository.id] = started.toISOString();
    } catch (error) {
      signal.throwIfAborted();
      const trouble = `${repository.origin}: ${(error as Error).message}`;
      log.warn(`the source ${name} could not ask about ${trouble}`);
      troubles.push(trouble);
    }
  }
  const deliveries = facts.map((fact) => factDelivery(fact, versionOf(fact)));
  return { deliveries, cursor, ...(troubles.length === 0 ? {} : { trouble: troubles.join('; ') }) };
}

// An issue may become one that is wanted later on: it is looked at again when it has changed.
function versionOf(fact: ForgeFact): string {
  return fact.what === 'issue' ? `${keyOfFact(fact)} ${fact.at ?? ''}` : keyOfFact(fact);
}

async function watched(
  db: Queryable,
  { forge, repositories }: ForgeSourceSettings,
  project: string | null,
): Promise<RegisteredRepository[]> {
  return (await registeredAt(db, forge)).filter(
    (each) =>
      (project === null || each.project === project) &&
      (repositories?.some((path) => isAt(each.origin, path)) ?? true),
  );
}

async function openRequests(
  db: Queryable,
  repository: number,
): Promise<{ number: number; commit: string; branch: string }[]> {
  const { rows } = await db.query<{ number: number; commit: string; branch: string }>(
    `select number, head_commit as commit, branch from change
      where repository = $1 and state = 'open' and number is not null order by id`,
    [repository],
  );
  return rows;
}
