// A run done again: from the same commits with the same words, perhaps by another agent or model, to be compared with it.
// Used by the API; that its result stays here is decided in finish.ts.
import { AutocodeError } from '../../protocol/errors.ts';
import { TaskInput, type ReplayInput, type Task } from '../../protocol/task.ts';
import type { Queryable } from '../db/connect.ts';
import { createTask, type TaskDefaults } from './create.ts';
import { getRun, getTask } from './queries.ts';

/** Makes the task that does the run again; ERR_STATE when the run never got as far as its base. */
export async function replayRun(
  db: Queryable,
  id: string,
  { agent, model, limits }: ReplayInput,
  defaults: TaskDefaults,
): Promise<Task> {
  const run = await getRun(db, id);
  if (run.repositories.some(({ baseCommit }) => baseCommit === null)) {
    throw new AutocodeError(
      'ERR_STATE',
      `Run ${id} cannot be done again: it is ${run.state}, and the commit that it works from is not known.`,
      {
        remedy: `Wait until it is at work, or give the task another run: \`autocode task retry ${run.task}\`.`,
      },
    );
  }
  const { project, title, body, acceptance, targetFiles, kind, priority, ...task } = await getTask(
    db,
    run.task,
  );
  const input = TaskInput.parse({
    project,
    title,
    body,
    acceptance,
    targetFiles,
    kind,
    priority,
    repositories: run.repositories.map(({ name }) => name),
    agent: agent ?? run.agent,
    model: model ?? (run.model === '' ? undefined : run.model),
    limits: { ...task.limits, ...limits },
    approvePlan: false,
  });
  return (await createTask(db, input, { ...defaults, replayOf: id })).task;
}
