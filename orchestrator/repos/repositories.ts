// All that the API does with git, bound to one database and store; wired in main.ts.
import type { Change } from '../../protocol/change.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import type { ImportableRepository } from '../../protocol/forge.ts';
import type { FileReading } from '../../protocol/project-file.ts';
import type { IssueTaskInput, Task } from '../../protocol/task.ts';
import type {
  Project,
  ProjectInput,
  ProjectPatch,
  RepositoryInput,
  VerifyCommand,
} from '../../protocol/project.ts';
import type { RepositoryLook, RepositoryLookInput } from '../../protocol/repository-look.ts';
import type { BaseAnswer, Run } from '../../protocol/run.ts';
import { transaction, type Queryable } from '../db/connect.ts';
import { createProject, getProject, updateProject } from '../tasks/projects.ts';
import type { FoundInFiles, RepositoryFound } from '../tasks/projects.ts';
import { addRepository } from '../tasks/repositories.ts';
import { prepareBase } from './base.ts';
import { changeAtOrigin } from './changes.ts';
import { compareRuns } from './compare.ts';
import { diff, diffText } from './diff.ts';
import type { DiffFormat } from './diff.ts';
import { followBelow } from './follow.ts';
import type { Forges } from './forge/forges.ts';
import type { TaskDefaults } from '../tasks/create.ts';
import { receiveHook } from './forge/webhook.ts';
import type { Delivery, KeepDelivery } from './forge/webhook.ts';
import { createGitGate } from './git-gate.ts';
import type { GitGate } from './git-gate.ts';
import { hostRepository } from './hosted.ts';
import { lookAtRepository } from './look.ts';
import { closeChange, mergeChange, refreshChange } from './merge.ts';
import type { MergeDeps } from './merge.ts';
import { openRepository, repositoryName } from './open.ts';
import { listImportable } from './importable.ts';
import { taskFromIssue } from './issue-task.ts';
import { resolveConflict } from './resolve.ts';
import { fileOfProject } from './project-file/show.ts';
import { withProjectFile } from './project-file/at-base.ts';
import { lookInto } from './suggest-verify.ts';

export interface RepositoriesDeps extends MergeDeps {
  /** Aborted when the daemon stops: a fetch of a huge repository ends. */
  stopping: AbortSignal;
  maxPushBytes?: number;
  onError(error: unknown): void;
  keepDelivery?: KeepDelivery;
}

export interface Repositories {
  create(input: ProjectInput): Promise<Project>;
  update(project: string, patch: ProjectPatch): Promise<Project>;
  /** Adds a repository to a project, looked at as those of a new project are. */
  add(project: string, input: RepositoryInput): Promise<Project>;
  /** What an address is of, before a project is made of it; nothing is kept. */
  look(input: RepositoryLookInput): Promise<RepositoryLook>;
  prepareBase(run: string, fence: number): Promise<BaseAnswer>;
  /** What the run changed; with `against` what its result has that that run's has not. */
  runDiff(run: Run, format: DiffFormat, against?: Run): Promise<string>;
  changeDiff(change: Change, format: DiffFormat): Promise<string>;
  /** `.autocode.yaml` at a branch, as the repository has it now. */
  projectFile(project: string, branch: string | undefined): Promise<FileReading>;
  forges: Forges;
  /** Repositories of a forge that can become projects. */
  importable(forge: string, filter: { owner?: string | undefined }): Promise<ImportableRepository[]>;
  /** The task of an issue; `created` is false when it had one. */
  fromIssue(input: IssueTaskInput, defaults: TaskDefaults): Promise<{ task: Task; created: boolean }>;
  refreshChange(id: number): Promise<void>;
  mergeChange(id: number): Promise<Change>;
  closeChange(id: number, comment?: string): Promise<Change>;
  /** Has a change's agent resolve its conflict. */
  resolveConflict(id: number, said: { author: string; words: string | undefined }): Promise<Change>;
  /** A delivery of a forge's webhook; what it tells of open changes is looked up at the forge, until `looked`. */
  receiveHook(delivery: Delivery): Promise<{ looked: Promise<void> }>;
  git: GitGate;
}

/** Binds the functions of this folder to what they work with. */
export function bindRepositories(deps: RepositoriesDeps): Repositories {
  const { db, store, stopping } = deps;
  return {
    create: async (input) => await makeProject(deps, input),
    update: async (project, patch) => await changeProject(deps, project, patch),
    add: async (project, input) => {
      const found = await findRepository(deps, input, undefined);
      return await holdingForges(deps, [found], async (tx) => await addRepository(tx, project, found));
    },
    look: async (input) => await lookAtRepository(deps, input),
    prepareBase: async (run, fence) =>
      await withProjectFile(db, store, run, await prepareBase(db, store, run, fence, stopping)),
    runDiff: async (run, format, against) =>
      against === undefined
        ? await runDiff(deps, run, format)
        : await compareRuns(store, against, run, format),
    projectFile: async (project, branch) => await fileOfProject(deps, await getProject(db, project), branch),
    forges: deps.forges,
    importable: async (forge, filter) => await listImportable(deps, forge, filter, stopping),
    fromIssue: async (input, defaults) => await taskFromIssue(deps, input, defaults, stopping),
    changeDiff: async ({ id, baseCommit, headCommit }, format) => {
      const { repository } = await changeAtOrigin(db, id);
      return diffText(await diff(store, repository.id, baseCommit, headCommit, { format }));
    },
    // What the forge has now is good to know; the change can be shown without it.
    refreshChange: async (id) => await refreshChange(deps, id, stopping).catch(deps.onError),
    mergeChange: async (id) => {
      const merged = await mergeChange(deps, id, stopping);
      void followBelow(deps, deps.onError, stopping).catch((error: unknown) => {
        if (!stopping.aborted) deps.onError(error);
      });
      return merged;
    },
    resolveConflict: async (id, said) => await resolveConflict(deps, id, said, stopping),
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

// One repository after the other; with several, what comes of each stands under its name.
async function runDiff({ store }: RepositoriesDeps, run: Run, format: DiffFormat): Promise<string> {
  const texts: string[] = [];
  for (const { id, name, baseCommit, headCommit } of run.repositories) {
    if (baseCommit === null || headCommit === null) continue;
    const folder = run.repositories.length === 1 ? undefined : name;
    const text = diffText(await diff(store, id, baseCommit, headCommit, { format, folder }));
    texts.push(folder === undefined || format === 'patch' ? text : `${name}:\n${text}`);
  }
  return texts.join('');
}

async function makeProject(deps: RepositoriesDeps, input: ProjectInput): Promise<Project> {
  const { repository, repositories, defaultBranch, forge, allowDirty } = input;
  if (repository !== undefined && repositories !== undefined) {
    throw new AutocodeError('ERR_INVALID_INPUT', 'The project has both `repository` and `repositories`.', {
      remedy: 'Name all of them in `repositories`.',
    });
  }
  const [first, ...others] = repositories ?? [{ origin: repository, allowDirty }];
  // One after the other: the first registers the forge that the next is found at.
  const found = [await findRepository(deps, { defaultBranch, forge, ...given(first!) }, input.name)];
  for (const other of others) found.push(await findRepository(deps, other, undefined));
  const files = await lookIntoAll(deps, found);
  return await holdingForges(
    deps,
    found,
    async (tx) => await createProject(tx, { input, repositories: found, found: files }),
  );
}

// A forge that is removed at the same time is removed before, and this refused, or sees what is made here.
async function holdingForges<T>(
  { db, forges }: RepositoriesDeps,
  found: Pick<RepositoryFound, 'forge'>[],
  work: (tx: Queryable) => Promise<T>,
): Promise<T> {
  return await transaction(db, async (tx) => {
    const done = await work(tx);
    for (const forge of new Set(found.flatMap((each) => each.forge ?? []))) await forges.hold(tx, forge);
    return done;
  });
}

// What the files of one of several repositories suggest runs at its root; only the first one's .autocode.yaml counts.
async function lookIntoAll({ store }: RepositoriesDeps, found: RepositoryFound[]): Promise<FoundInFiles> {
  const all: FoundInFiles = { verify: [] };
  for (const { name, origin, defaultBranch } of found) {
    if (typeof origin !== 'string') continue; // it has no files yet
    const { verify, file } = await lookInto(store.git, { origin, defaultBranch });
    const inOwn = (command: VerifyCommand) => ({
      ...command,
      name: `${name}-${command.name}`.slice(0, 80),
      in: name,
    });
    all.verify.push(...(found.length === 1 ? verify : verify.map(inOwn)));
    if (name === found[0]!.name) all.file = file;
  }
  return all;
}

function given(input: RepositoryInput): RepositoryInput {
  return Object.fromEntries(
    Object.entries(input).filter(([, value]) => value !== undefined),
  ) as RepositoryInput;
}

// A new one on the local forge has no name of its own: it takes the project's.
async function findRepository(
  { store, forges }: RepositoriesDeps,
  { name, origin, defaultBranch, forge: choice, allowDirty }: RepositoryInput,
  project: string | undefined,
): Promise<RepositoryFound> {
  if (origin === undefined) {
    const made = async (id: number) => (await hostRepository(store, id, { defaultBranch })).origin;
    const named = name ?? project ?? namelessRepository();
    return { name: named, origin: made, hosted: true, defaultBranch: defaultBranch ?? 'main' };
  }
  const forge = await forges.choose(origin, choice); // first: reading the repository may need its token
  await forges.check({ origin, forge });
  const opened = await openRepository(store.git, { origin, defaultBranch, allowDirty });
  const named = name ?? repositoryName(opened.origin) ?? project ?? namelessRepository();
  return { ...opened, forge, name: named };
}

function namelessRepository(): never {
  throw new AutocodeError('ERR_INVALID_INPUT', 'A repository has no name, and its address gives none.', {
    remedy: 'Give it one, as NAME=ORIGIN.',
  });
}

async function changeProject(deps: RepositoriesDeps, name: string, patch: ProjectPatch): Promise<Project> {
  const { db, forges } = deps;
  if (patch.forge === undefined) return await updateProject(db, name, patch);
  const { origin } = (await getProject(db, name)).repositories[0]!;
  const forge = await forges.choose(origin, patch.forge);
  await forges.check({ origin, forge });
  return await holdingForges(deps, [{ forge }], async (tx) => await updateProject(tx, name, patch, forge));
}
