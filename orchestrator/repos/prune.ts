// Refs of runs that nobody needs any more: those of tasks that ended long ago and have no open change.
// A chore of the scheduler. The objects stay: runs in progress may read them.
import { existsSync } from 'node:fs';
import { parseRunId } from '../../protocol/ids.ts';
import type { Queryable } from '../db/connect.ts';
import { repositoryPath } from './mirror.ts';
import type { RepositoryStore } from './mirror.ts';

/** Removes refs/runs and refs/submitted of tasks that ended more than so many days ago; answers how many. */
export async function pruneRunRefs(
  { db, store }: { db: Queryable; store: RepositoryStore },
  days: number,
  signal?: AbortSignal,
): Promise<number> {
  const { rows } = await db.query<{ repository: number; tasks: number[] }>(
    `select own.repository, array_agg(task.id) as tasks from task join task_repository own on own.task = task.id
     where finished_at < now() - make_interval(days => $1) and not exists (
       select from change where change.task = task.id and change.state = 'open')
     group by own.repository`,
    [days],
  );
  let pruned = 0;
  for (const { repository, tasks } of rows) {
    if (signal?.aborted === true) break;
    const mirror = repositoryPath(store, repository, 'mirror.git');
    if (existsSync(mirror)) pruned += await pruneMirror(store, mirror, new Set(tasks.map(Number)));
  }
  return pruned;
}

async function pruneMirror({ git }: RepositoryStore, mirror: string, tasks: Set<number>): Promise<number> {
  const listing = await git.text(['for-each-ref', '--format=%(refname)', 'refs/runs', 'refs/submitted'], {
    gitDir: mirror,
  });
  const old = listing.split('\n').filter((ref) => {
    const [, , run = ''] = ref.split('/');
    return /^\d+-\d+$/.test(run) && tasks.has(parseRunId(run).task);
  });
  if (old.length === 0) return 0;
  await git.run(['update-ref', '--stdin'], {
    gitDir: mirror,
    input: old.map((ref) => `delete ${ref}\n`).join(''),
    underLock: { file: `${mirror}.lock`, script: 'exec git "$@"' }, // a fetch takes packed-refs.lock for a left-over
  });
  return old.length;
}
