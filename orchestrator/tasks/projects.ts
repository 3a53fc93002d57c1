// Projects: repositories and how work on them is done. Used by the API.
import { AutocodeError } from '../../protocol/errors.ts';
import type { FileReading } from '../../protocol/project-file.ts';
import type { Project, ProjectInput, ProjectPatch, VerifyCommand } from '../../protocol/project.ts';
import { sqlState, type Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';
import { keepFile, letFileDecide, markedIn } from './known-file.ts';
import { refuseOverwriting } from './overwriting.ts';
import { withinTransaction } from '../db/within-transaction.ts';
import { keepEnvironment } from './project-environment.ts';
import { keepOrder } from './project-order.ts';
import { keepPlacement } from './project-placement.ts';

/** A repository as it was found or is to be made; `origin` may be made from the repository's id. */
export interface RepositoryFound {
  name: string;
  origin: string | ((id: number) => Promise<string>);
  hosted: boolean;
  defaultBranch: string;
  forge?: string;
}

const UNIQUE_VIOLATION = '23505';
const SELECT = `select p.*, (select jsonb_agg(jsonb_build_object('id', r.id, 'name', r.name, 'origin', r.origin,
    'hosted', r.hosted, 'defaultBranch', r.default_branch, 'forge', r.forge) order by r.position)
    from repository r where r.project = p.id and r.removed_at is null) as repositories
  from project p`;

interface ProjectRow {
  id: number;
  name: string;
  verify: Project['verify'];
  agent: string | null;
  agent_command: string[] | null;
  model: string | null;
  limits: Project['limits'];
  checks: Project['checks'];
  approve_plan: boolean;
  permissions: Project['permissions'];
  memory: boolean;
  dependency_caches: boolean;
  isolation: Project['isolation'];
  environment: string | null;
  placement: Project['placement'];
  worker_labels: string[];
  run_memory_mib: number | null;
  after_change: Project['afterChange'];
  max_runs: number | null;
  quiet_hours: Project['quietHours'];
  trusted: boolean;
  created_at: Date;
  archived_at: Date | null;
  repositories: Project['repositories'];
  reviewers: string[];
  labels: string[];
  draft: boolean;
  merge_method: Project['mergeMethod'];
}

/** What was asked for, its repositories, and what these say themselves. */
interface NewProject {
  input: ProjectInput;
  repositories: RepositoryFound[];
  found?: FoundInFiles;
}

/** What the files of the repositories suggest, and what .autocode.yaml says. */
export interface FoundInFiles {
  verify: VerifyCommand[];
  file?: FileReading;
}

/** Makes a project with its repositories; ERR_CONFLICT when the name is taken. */
export async function createProject(
  db: Queryable,
  { input, repositories, found }: NewProject,
): Promise<Project> {
  return await withinTransaction(db, async (tx) => {
    checkPlaces(input.verify, repositories);
    const id = await insertProject(tx, input, found?.verify ?? []);
    await keepPlacement(tx, id, input);
    await keepOrder(tx, id, input);
    await keepEnvironment(tx, id, input.environment);
    if (found?.file !== undefined) await keepFile(tx, id, found.file);
    for (const repository of repositories) await insertRepository(tx, id, repository);
    await emit(tx, { kind: 'project.created', project: id, data: { name: input.name } });
    return await getProject(tx, input.name);
  });
}

// A command that runs in a repository which is not there would never run.
function checkPlaces(verify: Project['verify'] = [], repositories: { name: string }[]): void {
  const stray = verify.find(
    ({ in: place }) => place !== undefined && !repositories.some(({ name }) => name === place),
  );
  if (stray === undefined) return;
  throw new AutocodeError(
    'ERR_INVALID_INPUT',
    `Verify command ${stray.name} runs in ${stray.in}, which is no repository of the project.`,
    {
      remedy: `Name one of ${repositories.map(({ name }) => name).join(', ')}.`,
    },
  );
}

async function insertProject(
  tx: Queryable,
  input: ProjectInput,
  verifyFound: VerifyCommand[],
): Promise<number> {
  try {
    const { rows } = await tx.query<{ id: number }>(
      `insert into project (name, verify, agent, agent_command, model, limits, trusted, checks, reviewers, labels, isolation, draft, merge_method,
         approve_plan, permissions, explicit, memory, dependency_caches)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) returning id`,
      [
        input.name,
        JSON.stringify(input.verify ?? verifyFound),
        input.agent ?? null,
        jsonOrNull(input.agentCommand),
        input.model ?? null,
        JSON.stringify(input.limits),
        input.trusted,
        JSON.stringify(input.checks ?? { rules: {}, allow: {} }),
        JSON.stringify(input.reviewers ?? []),
        JSON.stringify(input.labels ?? []),
        input.isolation,
        input.draft ?? false,
        input.mergeMethod,
        input.approvePlan,
        JSON.stringify(input.permissions),
        markedIn(input),
        input.memory,
        input.dependencyCaches,
      ],
    );
    return rows[0]!.id;
  } catch (error) {
    if (sqlState(error) !== UNIQUE_VIOLATION) throw error;
    throw new AutocodeError('ERR_CONFLICT', `A project named ${input.name} is there already.`, {
      remedy: `Choose another name, or see \`autocode project show ${input.name}\`.`,
      cause: error,
    });
  }
}

/** Writes a repository's row; ERR_CONFLICT when the project has one of that name. */
export async function insertRepository(
  tx: Queryable,
  project: number,
  { name, origin, hosted, defaultBranch, forge = 'local' }: RepositoryFound,
): Promise<void> {
  try {
    const { rows } = await tx.query<{ id: number }>(
      `insert into repository (project, name, origin, hosted, default_branch, forge, position)
         select $1, $2, $3, $4, $5, $6, coalesce(max(position), 0) + 1 from repository where project = $1
       returning id`,
      [project, name, typeof origin === 'string' ? origin : '', hosted, defaultBranch, forge],
    );
    const id = rows[0]!.id;
    if (typeof origin === 'function')
      await tx.query('update repository set origin = $2 where id = $1', [id, await origin(id)]);
  } catch (error) {
    if (sqlState(error) !== UNIQUE_VIOLATION) throw error;
    throw new AutocodeError('ERR_CONFLICT', `The project has two repositories named ${name}.`, {
      remedy: 'Give one of them another name, as NAME=ORIGIN.',
      cause: error,
    });
  }
}

/** A project by name or number, archived ones too; ERR_NOT_FOUND names those that there are. */
export async function getProject(db: Queryable, nameOrId: string | number): Promise<Project> {
  const wanted =
    typeof nameOrId === 'number' ? 'p.id = $1' : 'p.name = $1 or p.id::text = $1 order by p.name = $1 desc';
  const { rows } = await db.query<ProjectRow>(`${SELECT} where ${wanted} limit 1`, [nameOrId]);
  if (rows[0] === undefined) throw await projectNotFound(db, String(nameOrId));
  return shown(rows[0]);
}

async function projectNotFound(db: Queryable, name: string): Promise<AutocodeError> {
  const { rows } = await db.query<{ name: string }>(
    'select name from project where archived_at is null order by name limit 20',
  );
  const known = rows.map((row) => row.name);
  return new AutocodeError('ERR_NOT_FOUND', `There is no project ${name}.`, {
    remedy:
      known.length === 0
        ? 'There is none yet; make one with `autocode project add PATH`.'
        : `Did you mean ${known.join(', ')}? Add another with \`autocode project add PATH\`.`,
    details: { known },
  });
}

/** Projects that are not archived, by name; only those `among` these ids where they are given. */
export async function listProjects(db: Queryable, among?: number[]): Promise<Project[]> {
  const { rows } = await db.query<ProjectRow>(
    `${SELECT} where p.archived_at is null and ($1::bigint[] is null or p.id = any($1)) order by p.name`,
    [among ?? null],
  );
  return rows.map(shown);
}

/**
 * Changes what the patch names, and nothing else; new tasks and claims go by it. `forge` is the name of the one that it chose.
 * ERR_CONFLICT when what the editor saw is different by now.
 */
export async function updateProject(
  db: Queryable,
  nameOrId: string | number,
  { was = {}, ...patch }: ProjectPatch,
  forge?: string,
): Promise<Project> {
  return await withinTransaction(db, async (tx) => {
    const project = await lockProject(tx, nameOrId);
    refuseOverwriting(`project ${project.name}`, project, was);
    checkPlaces(patch.verify, project.repositories);
    if (patch.trusted === false && project.trusted && project.isolation === 'directory')
      await refuseWhileLive(tx, project, 'be untrusted');
    await tx.query(
      `update project set verify = coalesce($2, verify), agent = coalesce($3, agent),
         agent_command = coalesce($4, agent_command), model = coalesce($5, model), limits = coalesce($6, limits),
         trusted = coalesce($7, trusted), checks = coalesce($8, checks),
         reviewers = coalesce($9, reviewers), labels = coalesce($10, labels),
         isolation = coalesce($11, isolation), draft = coalesce($12, draft),
         merge_method = case when $13 then $14 else merge_method end,
         approve_plan = coalesce($15, approve_plan), permissions = permissions || coalesce($16::jsonb, '{}'),
         explicit = explicit || $17::text[], memory = coalesce($18, memory),
         dependency_caches = coalesce($19, dependency_caches) where id = $1`,
      [
        project.id,
        jsonOrNull(patch.verify),
        patch.agent ?? null,
        jsonOrNull(patch.agentCommand),
        patch.model ?? null,
        jsonOrNull(patch.limits),
        patch.trusted ?? null,
        jsonOrNull(patch.checks && mergedChecks(project.checks, patch.checks)),
        jsonOrNull(patch.reviewers),
        jsonOrNull(patch.labels),
        patch.isolation ?? null,
        patch.draft ?? null,
        patch.mergeMethod !== undefined,
        patch.mergeMethod ?? null,
        patch.approvePlan ?? null,
        jsonOrNull(patch.permissions),
        markedIn(patch),
        patch.memory ?? null,
        patch.dependencyCaches ?? null,
      ],
    );
    await keepPlacement(tx, project.id, patch);
    await keepOrder(tx, project.id, patch);
    await keepEnvironment(tx, project.id, patch.environment);
    if (patch.fromFile !== undefined) await letFileDecide(tx, project.id, patch.fromFile);
    await tx.query(
      `update repository set default_branch = coalesce($2, default_branch), forge = coalesce($3, forge) where id = $1`,
      [project.repositories[0]!.id, patch.defaultBranch ?? null, forge ?? null],
    );
    await emit(tx, { kind: 'project.changed', project: project.id, data: { changed: Object.keys(patch) } });
    return await getProject(tx, project.name);
  });
}

// Rule by rule, list by list: what the patch does not name stays.
function mergedChecks(now: Project['checks'], patch: Project['checks']): Project['checks'] {
  return { rules: { ...now.rules, ...patch.rules }, allow: { ...now.allow, ...patch.allow } };
}

/** Takes a project out of use; its history stays. Refused while it has tasks that are not done. */
export async function archiveProject(db: Queryable, nameOrId: string | number): Promise<Project> {
  return await withinTransaction(db, async (tx) => {
    const project = await lockProject(tx, nameOrId);
    if (project.archivedAt !== null) return project;
    await refuseWhileLive(tx, project, 'be archived');
    await tx.query(`update project set archived_at = now() where id = $1`, [project.id]);
    await emit(tx, { kind: 'project.changed', project: project.id, data: { changed: ['archived'] } });
    return await getProject(tx, project.name);
  });
}

async function lockProject(tx: Queryable, nameOrId: string | number): Promise<Project> {
  const { id } = await getProject(tx, nameOrId);
  await tx.query('select from project where id = $1 for no key update', [id]);
  return await getProject(tx, id);
}

async function refuseWhileLive(tx: Queryable, project: Project, what: string): Promise<void> {
  const { rows } = await tx.query<{ id: number }>(
    `select id from task where project = $1 and state in ('pending', 'queued', 'running') order by id`,
    [project.id],
  );
  if (rows.length === 0) return;
  const tasks = rows.map((row) => row.id);
  const named = tasks.slice(0, 10).join(', ') + (tasks.length > 10 ? ', …' : '');
  throw new AutocodeError(
    'ERR_STATE',
    `Project ${project.name} cannot ${what}: ${tasks.length} of its tasks are not done (${named}).`,
    {
      remedy: 'Wait for them, or cancel them with `autocode task cancel TASK`.',
      details: { tasks },
    },
  );
}

/** A project that takes new work, under lock: it is not archived or untrusted meanwhile, and its order of work is the caller's. */
export async function projectForWork(tx: Queryable, nameOrId: string | number): Promise<Project> {
  const { id } = await getProject(tx, nameOrId);
  await tx.query('select from project where id = $1 for no key update', [id]);
  const project = await getProject(tx, id);
  if (project.archivedAt !== null) {
    throw new AutocodeError('ERR_STATE', `Project ${project.name} is archived and takes no tasks.`, {
      remedy: 'Add the repository again under another name with `autocode project add PATH --name NAME`.',
    });
  }
  if (project.isolation === 'directory' && !project.trusted) {
    throw new AutocodeError(
      'ERR_NOT_TRUSTED',
      `Project ${project.name} is not trusted, and its isolation \`directory\` is none: an agent has the rights of the worker.`,
      {
        remedy: `Give its runs a sandbox: \`autocode project set ${project.name} --isolation bubblewrap\`; or, if you accept that, \`--trusted\`.`,
      },
    );
  }
  return project;
}

function jsonOrNull(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

function shown(row: ProjectRow): Project {
  return {
    id: row.id,
    name: row.name,
    repositories: row.repositories,
    verify: row.verify,
    agent: row.agent,
    agentCommand: row.agent_command,
    model: row.model,
    limits: row.limits,
    reviewers: row.reviewers,
    labels: row.labels,
    draft: row.draft,
    mergeMethod: row.merge_method,
    checks: row.checks,
    approvePlan: row.approve_plan,
    permissions: row.permissions,
    memory: row.memory,
    dependencyCaches: row.dependency_caches,
    isolation: row.isolation,
    environment: row.environment,
    placement: row.placement,
    workerLabels: row.worker_labels,
    runMemoryMib: row.run_memory_mib,
    afterChange: row.after_change,
    maxRuns: row.max_runs,
    quietHours: row.quiet_hours,
    trusted: row.trusted,
    createdAt: row.created_at.toISOString(),
    archivedAt: row.archived_at?.toISOString() ?? null,
  };
}
