// A task as a model needs it to go on: its state, what it waits for, its newest runs, its changes. Used by task-tools.ts and wait-tools.ts.
import { z } from 'zod';
import { Change } from '../../../protocol/change.ts';
import { Run } from '../../../protocol/run.ts';
import { Explanation } from '../../../protocol/scheduling.ts';
import { Task } from '../../../protocol/task.ts';
import type { Client } from '../client.ts';
import { beginning } from './excerpt.ts';

const NEWEST_RUNS = 5;
const LONGEST_BODY = 10_000;

/** A task in a list, or after something was done to it. */
export const TaskSummary = Task.pick({
  id: true,
  project: true,
  title: true,
  state: true,
  pendingReason: true,
  reason: true,
  attempt: true,
  currentRun: true,
  changes: true,
  createdAt: true,
  updatedAt: true,
  finishedAt: true,
});

export const TaskReport = z.object({
  task: Task.extend({
    body: z.string().meta({ description: `Its first ${LONGEST_BODY.toLocaleString('en')} characters.` }),
  }),
  waits: Explanation.pick({ summary: true, waits: true, place: true }).meta({
    description: 'What keeps it from running, and what would change that.',
  }),
  runs: z
    .array(
      Run.pick({
        id: true,
        state: true,
        cause: true,
        reason: true,
        agent: true,
        model: true,
        iterations: true,
        findings: true,
        usage: true,
        createdAt: true,
        finishedAt: true,
      }).extend({
        checks: z
          .array(z.object({ name: z.string(), base: z.string().nullable(), head: z.string().nullable() }))
          .meta({ description: 'Its verify commands before and after: passed, failed, timed-out, not-run.' }),
      }),
    )
    .meta({ description: `The newest first, ${NEWEST_RUNS} at most.` }),
  changes: z.array(
    Change.pick({
      id: true,
      repository: true,
      state: true,
      branch: true,
      baseBranch: true,
      headCommit: true,
      number: true,
      url: true,
      trouble: true,
    }),
  ),
});

/** Asks for all of it. */
export async function taskReport(client: Client, id: number): Promise<z.input<typeof TaskReport>> {
  const [task, waits, runs] = await Promise.all([
    client.get(`/tasks/${id}`, Task),
    client.get(`/tasks/${id}/explanation`, Explanation),
    client.get('/runs', z.array(Run), { task: id, limit: NEWEST_RUNS }),
  ]);
  const changes = task.changes.map(async (change) => await client.get(`/changes/${change}`, Change));
  return {
    task: { ...task, body: beginning(task.body, LONGEST_BODY).text },
    waits,
    runs: runs.map(({ checks, ...run }) => ({
      ...run,
      checks: checks.map(({ name, base, head }) => ({
        name,
        base: base?.status ?? null,
        head: head?.status ?? null,
      })),
    })),
    changes: await Promise.all(changes),
  };
}
