// What the tests of submission share: its dependencies, and what became of a run.
import type { Database } from '../../db/connect.ts';
import type { SubmitDeps } from '../submit.ts';
import { AUTHOR, noForges } from './workshop.ts';
import type { Workshop } from './workshop.ts';

const policy = { retries: { agent: 0, platform: 1, lost: 0, outOfTime: 0 }, retryBackoffSeconds: 1 };

/** Submission to the local forge. */
export function depsOf(db: Database, shop: Workshop): SubmitDeps {
  return { db, store: shop.store, author: AUTHOR, forges: noForges(db), currency: 'USD', policy };
}

/** What became of a run and its task. */
export async function stateOf(
  db: Database,
  run: string,
): Promise<{ run: string; cause: string | null; reason: string; task: string }> {
  const { rows } = await db.query(
    'select run.state as run, run.cause, run.reason, task.state as task from run join task on task.id = run.task where run.id = $1',
    [run],
  );
  return rows[0];
}

/** The branches of a repository. */
export function branches(shop: Workshop, folder: string): string[] {
  return shop.git(folder, 'for-each-ref', '--format=%(refname:short)', 'refs/heads').split('\n');
}
