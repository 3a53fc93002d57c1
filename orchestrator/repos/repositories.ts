// All that the API does with git, bound to one database and store; wired in main.ts.
import type { Change } from '../../protocol/change.ts';
import type { Project, ProjectInput, ProjectPatch } from '../../protocol/project.ts';
import type { BaseAnswer, Run } from '../../protocol/run.ts';
import { createProject, getProject, updateProject } from '../tasks/projects.ts';
import { prepareBase } from './base.ts';
import { changeAtOrigin } from './changes.ts';
import { diff, diffText } from './diff.ts';
import type { DiffFormat } from './diff.ts';
import { receiveHook } from './forge/webhook.ts';
import type { Delivery } from './forge/webhook.ts';
import { createGitGate } from './git-gate.ts';
import type { GitGate } from './git-gate.ts';
import { hostRepository } from './hosted.ts';
import { closeChange, mergeChange, refreshChange } from './merge.ts';
import type { MergeDeps } from './merge.ts';
import { openRepository } from './open.ts';
import { suggestVerify } from './suggest-verify.ts';

export interface RepositoriesDeps extends MergeDeps {
  /** Aborted when the daemon stops: a fetch of a huge repository ends. */
  stopping: AbortSignal;
  maxPushBytes?: number;
  onError(error: unknown): void;
}

export interface Repositories {
  create(input: ProjectInput): Promise<Project>;
  update(project: string, patch: ProjectPatch): Promise<Project>;
  prepareBase(run: string, fence: number): Promise<BaseAnswer>;
  runDiff(run: Run, format: DiffFormat): Promise<string>;
  changeDiff(change: Change, format: DiffFormat): Promise<string>;
  refreshChange(id: number): Promise<void>;
  mergeChange(id: number): Promise<Change>;
  closeChange(id: number, comment?: string): Promise<Change>;
  /** A delivery of a forge's webhook; what it tells of open changes is looked up at the forge. */
  receiveHook(delivery: Delivery): Promise<void>;
  git: GitGate;
}

/** Binds the functions of this folder to what they work with. */
export function bindRepositories(deps: RepositoriesDeps): Repositories {
  const { db, store, stopping } = deps;
  return {
    create: async (input) => await makeProject(deps, input),
    update: async (project, patch) => await changeProject(deps, project, patch),
    prepareBase: async (run, fence) => await prepareBase(db, store, run, fence, stopping),
    runDiff: async (run, format) => {
      if (run.baseCommit === null || run.headCommit === null) return '';
      const { rows } = await db.query<{ repository: number }>('select repository from task where id = $1', [
        run.task,
      ]);
      return diffText(await diff(store, rows[0]!.repository, run.baseCommit, run.headCommit, { format }));
    },
    changeDiff: async ({ id, baseCommit, headCommit }, format) => {
      const { repository } = await changeAtOrigin(db, id);
      return diffText(await diff(store, repository.id, baseCommit, headCommit, { format }));
    },
    // What the forge has now is good to know; the change can be shown without it.
    refreshChange: async (id) => await refreshChange(deps, id, stopping).catch(deps.onError),
    mergeChange: async (id) => await mergeChange(deps, id, stopping),
    closeChange: async (id, comment) => await closeChange(deps, id, comment),
    receiveHook: async (delivery) => await receiveHook(deps, delivery, deps.onError, stopping),
    git: createGitGate({
      store,
      isCurrent: async (run, fence) => await isCurrentRun(deps, run, fence),
      onError: deps.onError,
      ...(deps.maxPushBytes === undefined ? {} : { maxPushBytes: deps.maxPushBytes }),
    }),
  };
}

// Live, and the newest attempt at its task.
async function isCurrentRun({ db }: RepositoriesDeps, run: string, fence: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `select from run join task on task.id = run.task
      where run.id = $1 and run.fence = $2 and task.attempt = $2 and run.state in ('leased', 'preparing', 'working', 'verifying')`,
    [run, fence],
  );
  return rowCount === 1;
}

async function makeProject({ db, store, forges }: RepositoriesDeps, input: ProjectInput): Promise<Project> {
  const { repository: origin, defaultBranch, allowDirty } = input;
  if (origin === undefined) {
    const hosted = { hosted: true, defaultBranch: defaultBranch ?? 'main' };
    const make = async (id: number) => (await hostRepository(store, id, { defaultBranch })).origin;
    return await createProject(db, { input, repository: { ...hosted, origin: make } });
  }
  const forge = await forges.choose(origin, input.forge); // first: reading the repository may need its token
  await forges.check({ origin, forge });
  const opened = await openRepository(store.git, { origin, defaultBranch, allowDirty });
  const verify = input.verify ?? (await suggestVerify(store.git, opened));
  return await createProject(db, { input: { ...input, verify }, repository: { ...opened, forge } });
}

async function changeProject(
  { db, forges }: RepositoriesDeps,
  name: string,
  patch: ProjectPatch,
): Promise<Project> {
  if (patch.forge === undefined) return await updateProject(db, name, patch);
  const { origin } = (await getProject(db, name)).repository;
  const forge = await forges.choose(origin, patch.forge);
  await forges.check({ origin, forge });
  return await updateProject(db, name, patch, forge);
}
