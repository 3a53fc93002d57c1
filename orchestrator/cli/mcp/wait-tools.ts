// The tool that follows a task: it answers when the task has ended or a person must act, or when its time is up. Used by serve.ts.
import { z } from 'zod';
import { Event } from '../../../protocol/event.ts';
import { TaskId } from '../../../protocol/ids.ts';
import { Task } from '../../../protocol/task.ts';
import type { Client } from '../client.ts';
import { eventLine } from '../events.ts';
import { hasEnded, taskState } from '../states.ts';
import { plain } from './excerpt.ts';
import { TaskReport, taskReport } from './task-report.ts';
import { tool, type Call } from './tool.ts';

/** Most clients give up a call after a minute in which they hear nothing. */
const BEAT_MS = 10_000;
const PAGE = 1000;

const Outcome = z.enum(['ended', 'approval', 'budget', 'time-is-up']).meta({
  description:
    '`ended`: its state is final; `approval`: its plan waits for approve_plan or reject_plan; `budget`: it waits until somebody raises a budget; `time-is-up`: it goes on, call again.',
});
type Outcome = z.infer<typeof Outcome>;

export const waitTools = [
  tool({
    name: 'wait_for_task',
    title: 'Wait for a task',
    description:
      'Waits until a task has ended or a person must act, at most so many seconds, and tells of progress meanwhile. Taking the call back ends the waiting, not the task.',
    input: z.strictObject({
      task: TaskId,
      seconds: z.int().min(0).max(3600).default(50).meta({
        description:
          'How long at most; the default fits into the minute that most clients give a call without news.',
      }),
    }),
    output: TaskReport.extend({ outcome: Outcome }),
    effect: 'read',
    async call({ task, seconds }, call) {
      await follow(task, seconds * 1000, call);
      const report = await taskReport(call.client, task);
      return { outcome: outcomeOf(report.task) ?? ('time-is-up' as const), ...report };
    },
  }),
];

/** Follows the task's events from where they are now, so that none is missed between looking and listening. */
async function follow(id: number, ms: number, { client, signal, progress }: Call): Promise<void> {
  const lastId = await newestEvent(client, id, signal);
  let task = await client.get(`/tasks/${id}`, Task);
  const over = AbortSignal.any([signal, AbortSignal.timeout(ms)]);
  const beat = setInterval(() => void progress(`task ${id} is ${taskState(task)}`).catch(() => {}), BEAT_MS);
  try {
    await progress(`task ${id} is ${taskState(task)}`);
    if (outcomeOf(task) === null)
      for await (const message of client.follow('/events', {
        query: { task: id },
        ...(lastId === undefined ? {} : { lastId }),
        signal: over,
      })) {
        const event = Event.parse(JSON.parse(message.data));
        await progress(plain(eventLine(event)));
        if (event.kind !== 'task.state') continue;
        task = await client.get(`/tasks/${id}`, Task);
        if (outcomeOf(task) !== null) break;
      }
  } finally {
    clearInterval(beat);
  }
  signal.throwIfAborted();
}

function outcomeOf({ state, pendingReason }: Pick<Task, 'state' | 'pendingReason'>): Outcome | null {
  if (hasEnded(state)) return 'ended';
  return pendingReason === 'approval' || pendingReason === 'budget' ? pendingReason : null;
}

async function newestEvent(client: Client, task: number, signal: AbortSignal): Promise<string | undefined> {
  for (let after: string | undefined; ;) {
    const page: Event[] = await client.get('/events', z.array(Event), { task, after, limit: PAGE });
    after = page.at(-1)?.id ?? after;
    if (page.length < PAGE) return after;
    signal.throwIfAborted();
  }
}
