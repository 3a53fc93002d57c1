// Results that were built upon the open change of another task: how a result is moved to where that stands now,
// without a work tree. Used by the submission.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Queryable } from '../db/connect.ts';
import { runRef, standingOf, type Below } from './base.ts';
import { carry, namedFiles } from './carry.ts';
import { fetchMirror, unlockRef, type RepositoryStore } from './mirror.ts';
import { authorship, type Author } from './submission-commit.ts';
import { recordMove, type Submission } from './submission-record.ts';

/**
 * Moves the results of a run to where the changes stand that they were built upon; answers whether one was. Each is recorded before the
 * next step, so that a submission that is repeated goes on from it. ERR_MERGE_CONFLICT where that cannot be done.
 */
export async function moveResults(
  { db, store, author }: { db: Queryable; store: RepositoryStore; author: Author },
  { run, createdAt: date, results }: Pick<Submission, 'run' | 'createdAt' | 'results'>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  let moved = false;
  for (const { below, ...result } of results) {
    if (below === null) continue;
    const { repository: id, origin, baseCommit: base, headCommit: head } = result;
    const mirror = await fetchMirror(store, { id, origin }, { signal });
    const target = await standingOf(store.git, { mirror, origin }, below);
    if (target === undefined) throw notMovable(below, []);
    if (target === base && below.state === 'open') continue;
    const as = { message: 'moved', authorship: authorship(author, date) };
    const there = await carry(store.git, { mirror, base, head, target, ...as });
    if (there.conflicts.length > 0) throw notMovable(below, there.conflicts);
    const ref = runRef(run);
    await unlockRef(mirror, ref);
    await store.git.run(['update-ref', ref, there.commit], { gitDir: mirror }); // keeps the commit
    await recordMove(db, run, { repository: id, below }, { base: target, head: there.commit });
    moved = true;
  }
  return moved;
}

/** Why a result that was built upon a change cannot be submitted as it is; its task begins again. */
function notMovable({ id, state }: Below, conflicts: string[]): AutocodeError {
  const why =
    conflicts.length > 0
      ? `was ${state === 'merged' ? 'merged' : 'changed'} meanwhile, and the result conflicts with it in ${namedFiles(conflicts)}`
      : 'was closed meanwhile without being merged';
  return new AutocodeError('ERR_MERGE_CONFLICT', `Change ${id}, which the result was built upon, ${why}.`, {
    remedy: 'The task begins again from where its repository is then.',
    details: { change: id, files: conflicts.slice(0, 100) },
  });
}
