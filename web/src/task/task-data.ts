// What the task page asks for: a handful of requests, whatever the task has been through. Keys begin as live/caches.ts names them.
import { queryOptions } from '@tanstack/react-query';
import type { Change } from '../../../protocol/change.ts';
import type { Event } from '../../../protocol/event.ts';
import type { IntakeDelivery } from '../../../protocol/intake.ts';
import type { TaskMessage } from '../../../protocol/message.ts';
import type { ModelCall } from '../../../protocol/model.ts';
import type { Run, RunState } from '../../../protocol/run.ts';
import type { Explanation } from '../../../protocol/scheduling.ts';
import type { Task } from '../../../protocol/task.ts';
import type { Refusal } from '../../../protocol/traffic.ts';
import { get } from '../api/client.ts';

const ACTIVE: readonly RunState[] = ['leased', 'preparing', 'working', 'verifying', 'submitting'];
/** Calls of models are no events: while a run goes on they are asked for now and then. */
const CALLS_MS = 4_000;

/** Whether a run goes on. */
export function isActive({ state }: Pick<Run, 'state'>): boolean {
  return ACTIVE.includes(state);
}

/** Whether a task has ended. */
export function hasEnded({ state }: Pick<Task, 'state'>): boolean {
  return state === 'completed' || state === 'failed' || state === 'cancelled';
}

export const taskQuery = (task: number) =>
  queryOptions({
    queryKey: ['task', task],
    queryFn: async ({ signal }) => await get<Task>(`/tasks/${task}`, {}, signal),
  });

export const runsQuery = (task: number) =>
  queryOptions({
    queryKey: ['task', task, 'runs'],
    queryFn: async ({ signal }) => (await get<Run[]>('/runs', { task, limit: 200 }, signal)).toReversed(),
    refetchInterval: ({ state: { data } }) => (data?.some(isActive) === true ? CALLS_MS : false),
  });

export const messagesQuery = (task: number) =>
  queryOptions({
    queryKey: ['task', task, 'messages'],
    queryFn: async ({ signal }) => await get<TaskMessage[]>(`/tasks/${task}/messages`, {}, signal),
  });

export const eventsQuery = (task: number) =>
  queryOptions({
    queryKey: ['task', task, 'events'],
    queryFn: async ({ signal }) =>
      await get<Event[]>(
        '/events',
        {
          task,
          kind: 'task.state,change.reviewed,change.moved,change.mergeable,change.followed',
          limit: 1000,
        },
        signal,
      ),
  });

export const deliveriesQuery = (task: number) =>
  queryOptions({
    queryKey: ['task', task, 'deliveries'],
    queryFn: async ({ signal }) =>
      (await get<IntakeDelivery[]>('/intake/deliveries', { task, limit: 50 }, signal)).toReversed(),
  });

export const explanationQuery = (task: number) =>
  queryOptions({
    queryKey: ['task', task, 'explanation'],
    queryFn: async ({ signal }) => await get<Explanation>(`/tasks/${task}/explanation`, {}, signal),
    refetchInterval: 10_000, // others move in the queue without a word to this task
  });

export const changeQuery = (change: number) =>
  queryOptions({
    queryKey: ['change', change],
    queryFn: async ({ signal }) => await get<Change>(`/changes/${change}`, {}, signal),
  });

export const callsQuery = (run: Run) =>
  queryOptions({
    queryKey: ['run', run.id, 'calls'],
    queryFn: async ({ signal }) => await get<ModelCall[]>(`/runs/${run.id}/calls`, {}, signal),
    refetchInterval: isActive(run) ? CALLS_MS : false,
  });

export const refusalsQuery = (run: Run) =>
  queryOptions({
    queryKey: ['run', run.id, 'refusals'],
    queryFn: async ({ signal }) => await get<Refusal[]>(`/runs/${run.id}/refusals`, {}, signal),
    refetchInterval: isActive(run) ? CALLS_MS : false,
  });
