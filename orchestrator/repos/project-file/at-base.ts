// A run's `.autocode.yaml`: that of its own base commit, so that what a branch says holds for the work on that branch.
// Used by the runner's first call, after base.ts.
import type { BaseAnswer } from '../../../protocol/run.ts';
import type { RunLimits } from '../../../protocol/project.ts';
import type { Queryable } from '../../db/connect.ts';
import { keepFile, type MarkedSetting } from '../../tasks/known-file.ts';
import { branchCommit } from '../base.ts';
import { repositoryPath, type RepositoryStore } from '../mirror.ts';
import { fileForRun } from './effective.ts';
import { invalidFile } from './parse.ts';
import { readProjectFile } from './read.ts';

interface RunRow {
  project: number;
  explicit: MarkedSetting[];
  limits: RunLimits;
}

/**
 * Reads the file in the first of the run's repositories, keeps it with the run and tightens its deadline. ERR_PROJECT_FILE
 * when it is not valid: the run then fails before any agent starts. May be repeated.
 */
export async function withProjectFile(
  db: Queryable,
  store: RepositoryStore,
  run: string,
  answer: BaseAnswer,
): Promise<BaseAnswer> {
  const { id } = answer.repositories[0]!;
  const baseCommit = await settledBase(db, store, run, answer);
  const mirror = repositoryPath(store, id, 'mirror.git');
  const { rows } = await db.query<RunRow>(
    `select p.id as project, p.explicit, p.limits || t.limits as limits
       from run r join task t on t.id = r.task join project p on p.id = t.project where r.id = $1`,
    [run],
  );
  const { project, ...own } = rows[0]!;
  await keepCurrent(db, store, project);
  const { content, problems } = await readProjectFile(store.git, mirror, baseCommit);
  if (problems.length > 0) throw invalidFile(problems, `at ${baseCommit.slice(0, 12)}`);
  if (content === null) return answer;
  const file = fileForRun(content, own);
  await db.query(
    `update run set file = $2, deadline = least(deadline, created_at + make_interval(secs => $3::float8 * 60)) where id = $1`,
    [run, JSON.stringify(content), file.limits?.deadlineMinutes ?? null],
  );
  return { ...answer, file };
}

// Upon an open change the file is that of the base branch: nobody has agreed to the change's yet.
async function settledBase(
  db: Queryable,
  store: RepositoryStore,
  run: string,
  answer: BaseAnswer,
): Promise<string> {
  const { id, baseCommit } = answer.repositories[0]!;
  const { rows } = await db.query<{ origin: string; branch: string }>(
    `select repository.origin, own.base_branch as branch from run_repository began join run on run.id = began.run
       join task_repository own on own.task = run.task and own.repository = began.repository join repository on repository.id = own.repository
     where began.run = $1 and began.repository = $2 and began.onto is not null`,
    [run, id],
  );
  if (rows[0] === undefined) return baseCommit;
  return await branchCommit(
    store.git,
    repositoryPath(store, id, 'mirror.git'),
    rows[0].origin,
    rows[0].branch,
  );
}

// The mirror was just fetched: what the default branch of the primary repository says now is what the next task goes by.
async function keepCurrent(db: Queryable, store: RepositoryStore, project: number): Promise<void> {
  const { rows } = await db.query<{ id: number; branch: string }>(
    `select id, default_branch as branch from repository where project = $1 and removed_at is null order by position limit 1`,
    [project],
  );
  const { id, branch } = rows[0]!;
  const mirror = repositoryPath(store, id, 'mirror.git');
  const found = await store.git.run(
    ['rev-parse', '--verify', '--quiet', `refs/forge/heads/${branch}^{commit}`],
    {
      gitDir: mirror,
      accept: [1, 128],
    },
  );
  if (found.exitCode !== 0) return; // not fetched yet, or the branch is gone: what was known stays
  await keepFile(db, project, await readProjectFile(store.git, mirror, found.stdout.toString().trim()));
}
