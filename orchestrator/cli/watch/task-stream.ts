// What happens with a task, in order: its events, and between them the log of each run. Used by `task watch` and the demo.
import { Event } from '../../../protocol/event.ts';
import type { RunEvent } from '../../../protocol/log.ts';
import { Task } from '../../../protocol/task.ts';
import type { Client } from '../client.ts';
import { followLog } from '../run/logs.ts';
import { hasEnded } from '../states.ts';

export type TaskNews =
  | { type: 'event'; event: Event }
  | { type: 'run'; run: string; event: RunEvent }
  | { type: 'ended'; task: Task };

/** News until the task has ended and the log of its last run was read. Runs before the newest are told by their events alone. */
export async function* followTask(client: Client, task: Task, signal: AbortSignal): AsyncGenerator<TaskNews> {
  if (hasEnded(task.state)) return yield* endedTask(client, task, signal);
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const queue = newsQueue();
  const logs: Promise<void>[] = [];
  const from = task.currentRun === null ? 0 : attemptOf(task.currentRun);
  const events = (async () => {
    for await (const message of client.follow('/events', { query: { task: task.id }, signal: both })) {
      const event = Event.parse(JSON.parse(message.data));
      queue.push({ type: 'event', event });
      if (event.kind === 'run.created' && event.run !== null && attemptOf(event.run) >= from)
        logs.push(pipeLog(client, event.run, both, queue.push));
      if (event.kind !== 'task.state' || !hasEnded(event.data.to as Task['state'])) continue;
      const now = await client.get(`/tasks/${task.id}`, Task);
      if (now.finishedAt === null || Date.parse(event.at) < Date.parse(now.finishedAt)) continue; // retried since
      await Promise.all(logs);
      return queue.push({ type: 'ended', task: now });
    }
  })();
  events.then(queue.end, queue.fail);
  try {
    yield* queue.read();
  } finally {
    stop.abort();
    await Promise.allSettled([events, ...logs]);
  }
}

/** The log of the last run of a task that has ended, whose events may be gone by now. */
async function* endedTask(client: Client, task: Task, signal: AbortSignal): AsyncGenerator<TaskNews> {
  const run = `${task.id}-${task.attempt}`;
  if (task.attempt > 0)
    for await (const event of followLog(client, run, signal)) yield { type: 'run', run, event };
  if (!signal.aborted) yield { type: 'ended', task };
}

function attemptOf(run: string): number {
  return Number(run.split('-')[1]);
}

async function pipeLog(
  client: Client,
  run: string,
  signal: AbortSignal,
  push: (news: TaskNews) => void,
): Promise<void> {
  for await (const event of followLog(client, run, signal)) push({ type: 'run', run, event });
}

function newsQueue() {
  const waiting: TaskNews[] = [];
  let outcome: { error?: unknown } | null = null;
  let wake = () => {};
  return {
    push(news: TaskNews) {
      waiting.push(news);
      wake();
    },
    end() {
      outcome ??= {};
      wake();
    },
    fail(error: unknown) {
      outcome ??= { error };
      wake();
    },
    async *read(): AsyncGenerator<TaskNews> {
      for (;;) {
        const next = waiting.shift();
        if (next !== undefined) yield next;
        else if (outcome !== null && 'error' in outcome) throw outcome.error;
        else if (outcome !== null) return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}
