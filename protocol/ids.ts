// Identifiers that cross wires. A run is named <task>-<attempt>; the attempt number is its fence.
import { z } from 'zod';

export const TaskId = z
  .number()
  .int()
  .positive()
  .meta({ description: 'Number of the task in this installation.' });
export const Fence = z
  .int32()
  .positive()
  .meta({ description: "The run's attempt number; a stale one is refused with 409." });
export const RunId = z
  .string()
  .regex(/^[1-9]\d{0,15}-[1-9]\d{0,8}$/)
  .meta({ description: 'Task number and attempt, as in `12-1`.' });
export type RunId = z.infer<typeof RunId>;

/** Names of projects, workers, agents, secrets: lower-case, start with a letter or digit. */
export const Name = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,62}$/,
    'use 1 to 63 of a-z, 0-9, dot, dash and underscore, starting with a letter or digit',
  );

export const CommitId = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/);
export const Timestamp = z.iso.datetime({ offset: true });

/** The run's id from its task and fence. */
export function runId(task: number, fence: number): RunId {
  return `${task}-${fence}`;
}

/** Task and fence from a run's id. */
export function parseRunId(run: RunId): { task: number; fence: number } {
  const [task, fence] = run.split('-');
  return { task: Number(task), fence: Number(fence) };
}
