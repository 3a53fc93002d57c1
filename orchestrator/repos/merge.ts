// Merging and closing a change through its forge, and finding out what somebody else did with it there.
// Used by the API, the scheduler and the webhooks.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Change } from '../../protocol/change.ts';
import type { Database } from '../db/connect.ts';
import { resolveCommit } from './base.ts';
import { mergedTree, namedFiles } from './carry.ts';
import { changeAtOrigin, endChange, getChange, noteTrouble, openChanges } from './changes.ts';
import type { ChangeAtOrigin } from './changes.ts';
import { followBelow } from './follow.ts';
import type { ReviewedChange } from './forge/forge.ts';
import type { Forges } from './forge/forges.ts';
import { forgeOf } from './forge/forges.ts';
import { fetchMirror } from './mirror.ts';
import type { RepositoryStore } from './mirror.ts';
import { noteLook, startLook, type Look } from './note-look.ts';
import type { Author } from './submission-commit.ts';

export interface MergeDeps {
  db: Database;
  store: RepositoryStore;
  author: Author;
  forges: Forges;
}

/** Merges an open change into its base branch; the error of a forge that refuses says why. */
export async function mergeChange(deps: MergeDeps, id: number, signal?: AbortSignal): Promise<Change> {
  const change = await openChange(deps.db, id);
  await refuseBeforeBelow(deps.db, change);
  const forge = await forgeOf(deps, change.repository);
  await forge.merge(change, change.mergeMethod, signal);
  await endChange(deps.db, id, 'merged');
  return await getChange(deps.db, id);
}

// It has the commits of the change that it is built upon: whoever has not agreed to that has not agreed to them.
async function refuseBeforeBelow(db: Database, { id, onto }: ChangeAtOrigin): Promise<void> {
  if (onto === null) return;
  const below = await getChange(db, onto);
  if (below.state === 'merged') return;
  throw new AutocodeError(
    'ERR_STATE',
    `Change ${id} is built upon change ${onto}, which is ${below.state}: merging it would bring that, too.`,
    {
      remedy:
        below.state === 'open'
          ? `Merge that first: \`autocode change merge ${onto}\`.`
          : `Close it and retry its task (\`autocode task retry\`), which begins without that; or merge it at the forge.`,
    },
  );
}

/** Closes an open change without merging it, at the forge too, with a comment where one is given. Its branch stays. */
export async function closeChange(deps: MergeDeps, id: number, comment?: string): Promise<Change> {
  const change = await openChange(deps.db, id);
  if (comment !== undefined && change.number === null) {
    throw new AutocodeError('ERR_STATE', `Change ${id} has no pull request that could be commented on.`, {
      remedy: 'Close it without a comment.',
    });
  }
  const forge = await forgeOf(deps, change.repository);
  if (comment !== undefined) await forge.comment(change, comment);
  if (change.number !== null) await forge.close(change);
  await endChange(deps.db, id, 'closed');
  return await getChange(deps.db, id);
}

async function openChange(db: Database, id: number): Promise<ChangeAtOrigin> {
  const change = await changeAtOrigin(db, id);
  if (change.state === 'open') return change;
  throw new AutocodeError('ERR_STATE', `The change ${id} is ${change.state} already.`);
}

/** Brings an open change to what the forge says of it. */
export async function refreshChange(deps: MergeDeps, id: number, signal?: AbortSignal): Promise<void> {
  const change = await changeAtOrigin(deps.db, id);
  if (change.state === 'open') await refresh(deps, [change], signal);
}

/**
 * The same for all open changes, or some, repository by repository; then changes follow what was merged below them. One that cannot be
 * asked is reported and passed over.
 */
export async function refreshChanges(
  deps: MergeDeps,
  onError: (error: unknown, repository: number) => void,
  signal?: AbortSignal,
  ids?: number[],
): Promise<void> {
  const byRepository = Map.groupBy(await openChanges(deps.db, ids), (change) => change.repository.id);
  for (const [repository, changes] of byRepository) {
    try {
      await refresh(deps, changes, signal);
    } catch (error) {
      signal?.throwIfAborted();
      onError(error, repository);
    }
  }
  await followBelow(deps, onError, signal);
}

// What stands in the way is kept with the changes, where their reader sees it, until a look succeeds.
async function refresh(deps: MergeDeps, changes: ChangeAtOrigin[], signal?: AbortSignal): Promise<void> {
  const ids = changes.map((change) => change.id);
  try {
    const forge = await forgeOf(deps, changes[0]!.repository);
    const look = await startLook(deps.db);
    const states = await forge.read(changes, signal);
    const conflicts = conflictSearch(deps, changes[0]!, signal);
    for (const [index, change] of changes.entries()) {
      const seen = states[index]!;
      if (seen.state !== 'open') await endChange(deps.db, change.id, seen.state, change.headCommit);
      else
        await noteLook(deps.db, change, { ...seen, ...(await mergeability(seen, change, conflicts)), look });
    }
    await noteTrouble(deps.db, ids, null);
  } catch (error) {
    signal?.throwIfAborted();
    await noteTrouble(deps.db, ids, error instanceof Error ? error.message : String(error));
    throw error;
  }
}

// Where the forge says no more than that it does not merge, the commits themselves tell whether they conflict.
async function mergeability(
  { mergeable, mergeReason, head }: ReviewedChange,
  change: ChangeAtOrigin,
  conflictsOf: (change: ChangeAtOrigin, head: string) => Promise<string[]>,
): Promise<Pick<Look, 'mergeable' | 'mergeReason'>> {
  if (mergeable !== 'no') return { mergeable, mergeReason };
  const files = await conflictsOf(change, head ?? change.headCommit);
  return files.length === 0
    ? { mergeable: 'unknown', mergeReason: null }
    : { mergeable: 'conflicts', mergeReason: namedFiles(files) };
}

// Changes of one repository, whose mirror is fetched when it is first needed.
function conflictSearch(
  { store }: MergeDeps,
  { repository }: ChangeAtOrigin,
  signal: AbortSignal | undefined,
) {
  let fetched: Promise<string> | undefined;
  return async ({ baseBranch }: ChangeAtOrigin, head: string): Promise<string[]> => {
    fetched ??= fetchMirror(store, repository, { signal });
    const mirror = await fetched;
    const base = await resolveCommit(store.git, mirror, `refs/forge/heads/${baseBranch}`);
    const there = await resolveCommit(store.git, mirror, head);
    if (base === undefined || there === undefined) return [];
    return (await mergedTree(store.git, mirror, base, there)).conflicts;
  };
}
