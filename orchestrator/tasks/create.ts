// Takes a task in: resolves what the project and the configuration leave open, and gives it its place in the queue.
// Used by the API (and by intake, inside the transaction that records a delivery).
import { AutocodeError } from '../../protocol/errors.ts';
import type { Project } from '../../protocol/project.ts';
import type { Task, TaskInput } from '../../protocol/task.ts';
import type { Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';
import { projectForWork } from './projects.ts';
import { getTask } from './queries.ts';
import { arrangeQueue, lockRepository, WAITS } from './queue.ts';
import { withinTransaction } from './within-transaction.ts';

/** Who gives the task, and what the configuration says where task and project do not. */
export interface TaskDefaults {
  actor: string;
  agent: string;
  model: string | null;
}

/** One step of priority outweighs this much waiting. */
const AGEING_STEP = '10 minutes';

/** Makes a task; `created` is false when the idempotency key was seen before, and the task then is the first one. */
export async function createTask(
  db: Queryable,
  input: TaskInput,
  defaults: TaskDefaults,
): Promise<{ task: Task; created: boolean }> {
  return await withinTransaction(db, async (tx) => {
    const project = await projectForWork(tx, input.project);
    await lockRepository(tx, project.repository.id);
    const earlier = await taskWithKey(tx, project, input.idempotencyKey);
    if (earlier !== null) return { task: await getTask(tx, earlier), created: false };
    const agent = input.agent ?? project.agent ?? defaults.agent;
    const id = await insertTask(tx, project, input, {
      agent,
      command: agent === 'command' ? commandOf(project) : null,
      model: modelFor(agent, input.model ?? project.model ?? defaults.model),
      actor: defaults.actor,
    });
    await emit(tx, {
      kind: 'task.created',
      project: project.id,
      task: id,
      data: { title: input.title, by: defaults.actor },
    });
    await arrangeQueue(tx, project.repository.id);
    return { task: await getTask(tx, id), created: true };
  });
}

async function taskWithKey(tx: Queryable, project: Project, key: string | undefined): Promise<number | null> {
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
  input: TaskInput,
  resolved: { agent: string; command: string[] | null; model: string; actor: string },
): Promise<number> {
  const { rows } = await tx.query<{ id: number }>({
    name: 'insert-task',
    text: `insert into task (project, repository, title, body, acceptance, target_files, priority, kind, base_branch, agent,
        agent_command, model, limits, idempotency_key, created_by, state, pending_reason, reason, order_key)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 'pending', 'repository', $16,
        now() - $7::int * interval '${AGEING_STEP}')
      returning id`,
    values: [
      project.id,
      project.repository.id,
      input.title,
      input.body,
      JSON.stringify(input.acceptance),
      JSON.stringify(input.targetFiles),
      input.priority,
      input.kind,
      input.baseBranch ?? project.repository.defaultBranch,
      resolved.agent,
      resolved.command === null ? null : JSON.stringify(resolved.command),
      resolved.model,
      JSON.stringify(input.limits),
      input.idempotencyKey ?? null,
      resolved.actor,
      WAITS,
    ],
  });
  return rows[0]!.id;
}
