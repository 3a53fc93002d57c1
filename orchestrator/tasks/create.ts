// Takes a task in: resolves what the project and the configuration leave open, and gives it its place in the queue.
// Used by the API (and by intake, inside the transaction that records a delivery).
import { AutocodeError } from '../../protocol/errors.ts';
import type { TaskClass } from '../../protocol/order-of-work.ts';
import type { Project } from '../../protocol/project.ts';
import type { TaskSource } from '../../protocol/task-source.ts';
import type { Task, TaskInput } from '../../protocol/task.ts';
import type { Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';
import { knownFile } from './known-file.ts';
import { projectForWork } from './projects.ts';
import { getTask } from './queries.ts';
import { arrangeQueue, WAITS } from './queue.ts';
import { checkSpoken, type SpokenBy } from './spoken.ts';
import { withinTransaction } from '../db/within-transaction.ts';

/** Where a task came from, for the order of work. */
export interface CameFrom {
  /** The name of an intake source. */
  source: string;
  class: TaskClass;
  account?: string | null;
}

const FROM_A_PERSON: CameFrom = { source: 'api', class: 'person' };

/** Who gives the task, and what the configuration says where task and project do not. */
export interface TaskDefaults {
  actor: string;
  agent: string;
  model: string | null;
  /** Minutes of waiting that one step of priority outweighs. */
  priorityMinutes?: number;
  /** What can be spoken with a model; not looked at when left out. */
  spokenBy?: SpokenBy;
  source?: TaskSource;
  /** Left out where a person or a program gives it. */
  from?: CameFrom;
  /** The run that the task does again. */
  replayOf?: string;
}

/** Minutes of waiting that one step of priority outweighs, where nothing else is configured. */
const PRIORITY_MINUTES = 10;

/** Makes a task; `created` is false when the idempotency key was seen before, and the task then is the first one. */
export async function createTask(
  db: Queryable,
  input: TaskInput,
  defaults: TaskDefaults,
): Promise<{ task: Task; created: boolean }> {
  return await withinTransaction(db, async (tx) => {
    const project = await projectForWork(tx, input.project);
    const earlier = await taskWithKey(tx, project, input.idempotencyKey);
    if (earlier !== null) return { task: await getTask(tx, earlier), created: false };
    const { places, agent, model } = await settle(tx, project, input, defaults);
    const id = await insertTask(
      tx,
      project,
      { ...input, places },
      {
        agent,
        command: agent === 'command' ? commandOf(project) : null,
        model,
        actor: defaults.actor,
        from: defaults.from ?? FROM_A_PERSON,
        priorityMinutes: defaults.priorityMinutes ?? PRIORITY_MINUTES,
      },
    );
    await noteOrigin(tx, id, defaults);
    await emit(tx, {
      kind: 'task.created',
      project: project.id,
      task: id,
      data: { title: input.title, by: defaults.actor },
    });
    await arrangeQueue(tx, project.id);
    return { task: await getTask(tx, id), created: true };
  });
}

/** Where and by whom a new task would be done: what it says itself, then its project, its repository's file, the configuration. */
export async function settle(
  db: Queryable,
  project: Project,
  input: Pick<TaskInput, 'repositories' | 'baseBranch' | 'agent' | 'model'>,
  defaults: Pick<TaskDefaults, 'agent' | 'model' | 'spokenBy'>,
): Promise<{ places: Place[]; agent: string; model: string }> {
  const places = placesOf(project, input);
  const wish = (await knownFile(db, project.id)).file?.content;
  const agent = input.agent ?? project.agent ?? wish?.agent ?? defaults.agent;
  const model = modelFor(agent, input.model ?? project.model ?? wish?.model ?? defaults.model);
  if (defaults.spokenBy !== undefined) await checkSpoken(db, agent, model, defaults.spokenBy);
  return { places, agent, model };
}

async function noteOrigin(tx: Queryable, task: number, { source, replayOf }: TaskDefaults): Promise<void> {
  if (source === undefined && replayOf === undefined) return;
  await tx.query('update task set source = $2, replay_of = $3 where id = $1', [
    task,
    source === undefined ? null : JSON.stringify(source),
    replayOf ?? null,
  ]);
}

/** A repository that the task works in, and from which branch. */
interface Place {
  id: number;
  baseBranch: string;
}

function placesOf(
  project: Project,
  { repositories: names, baseBranch }: Pick<TaskInput, 'repositories' | 'baseBranch'>,
): Place[] {
  const known = project.repositories.map(({ name }) => name);
  const unknown = names?.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new AutocodeError(
      'ERR_INVALID_INPUT',
      `Project ${project.name} has no repository ${unknown}; it has ${known.join(', ')}.`,
      { remedy: `Name some of them, or add it: \`autocode project repo add ${project.name} ORIGIN\`.` },
    );
  }
  return project.repositories
    .filter(({ name }) => names?.includes(name) ?? true)
    .map(({ id, defaultBranch }) => ({ id, baseBranch: baseBranch ?? defaultBranch }));
}

/** The task of a project that was given with this key. */
export async function taskWithKey(
  tx: Queryable,
  project: Pick<Project, 'id'>,
  key: string | undefined,
): Promise<number | null> {
  if (key === undefined) return null;
  const { rows } = await tx.query<{ id: number }>(
    'select id from task where project = $1 and idempotency_key = $2',
    [project.id, key],
  );
  return rows[0]?.id ?? null;
}

// The agent `command` is a program of its own and may do without a model.
function modelFor(agent: string, model: string | null): string {
  if (model !== null && model !== '') return model;
  if (agent === 'command') return '';
  throw new AutocodeError('ERR_NO_MODEL', `No model is configured, and the agent ${agent} needs one.`, {
    remedy: 'Configure one under models.engines (see `autocode config reference`), or name one with --model.',
  });
}

function commandOf(project: Project): string[] {
  if (project.agentCommand !== null) return project.agentCommand;
  throw new AutocodeError(
    'ERR_INVALID_INPUT',
    `The agent \`command\` has no program to run: project ${project.name} names none.`,
    {
      remedy: `Give the project an agentCommand: \`autocode project set ${project.name} --agent-command PROGRAM\`.`,
    },
  );
}

async function insertTask(
  tx: Queryable,
  project: Project,
  input: TaskInput & { places: Place[] },
  resolved: {
    agent: string;
    command: string[] | null;
    model: string;
    actor: string;
    from: CameFrom;
    priorityMinutes: number;
  },
): Promise<number> {
  const { rows } = await tx.query<{ id: number }>({
    name: 'insert-task',
    text: `with made as (insert into task (project, title, body, acceptance, target_files, priority, kind, agent,
        agent_command, model, limits, idempotency_key, created_by, approve_plan, state, pending_reason, reason, order_key,
        class, source_name, account)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $17, 'pending', 'repository', $14,
        now() - $6::int * make_interval(mins => $18), $19, $20, $21)
      returning id, order_key, class)
      insert into task_repository (task, repository, position, base_branch, order_key, class, waiting)
        select id, place.repository, place.position, place.branch, order_key, class, true
        from made, unnest($15::bigint[], $16::text[]) with ordinality place (repository, branch, position)
      returning task as id`,
    values: [
      project.id,
      input.title,
      input.body,
      JSON.stringify(input.acceptance),
      JSON.stringify(input.targetFiles),
      input.priority,
      input.kind,
      resolved.agent,
      resolved.command === null ? null : JSON.stringify(resolved.command),
      resolved.model,
      JSON.stringify(input.limits),
      input.idempotencyKey ?? null,
      resolved.actor,
      WAITS,
      input.places.map(({ id }) => id),
      input.places.map(({ baseBranch }) => baseBranch),
      input.approvePlan ?? project.approvePlan,
      resolved.priorityMinutes,
      resolved.from.class,
      resolved.from.source,
      resolved.from.account ?? null,
    ],
  });
  return rows[0]!.id;
}
