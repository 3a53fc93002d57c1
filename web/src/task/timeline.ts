// A task's life in the order of time, from what caused it to its change, put together from what is kept for good and from the outbox.
import type { Change } from '../../../protocol/change.ts';
import type { Event } from '../../../protocol/event.ts';
import type { IntakeDelivery } from '../../../protocol/intake.ts';
import type { TaskMessage } from '../../../protocol/message.ts';
import type { Run } from '../../../protocol/run.ts';
import type { Task } from '../../../protocol/task.ts';
import type { Tone } from '../ui/badge.tsx';

export interface Moment {
  key: string;
  at: string;
  what: string;
  /** In the words of others: shown as text that cannot reorder anything. */
  words: string | null;
  tone: Tone;
  run?: string;
  change?: number;
  url?: string;
}

export interface Life {
  task: Task;
  runs: readonly Run[];
  messages: readonly TaskMessage[];
  events: readonly Event[];
  deliveries: readonly IntakeDelivery[];
  changes: readonly Change[];
}

/** All moments, the first one first. */
export function timelineOf(life: Life): Moment[] {
  return [
    ...causes(life),
    ...life.events.flatMap(stateOf),
    ...life.runs.flatMap(runOf),
    ...life.messages.map(messageOf),
    ...life.changes.flatMap(changeOf),
  ].toSorted((one, other) => one.at.localeCompare(other.at));
}

function causes({ task, deliveries }: Life): Moment[] {
  const came = deliveries.flatMap((delivery) =>
    delivery.items
      .filter((item) => item.task === task.id)
      .map((item): Moment => {
        const did = { created: 'made this task', reopened: 'opened it again' }[item.verdict as string];
        const who = item.actor === null ? '' : ` by ${item.actor}`;
        return {
          key: `item-${item.id}`,
          at: item.at,
          what: `${delivery.event} from ${item.source}${who} ${did ?? `was ${item.verdict}`}`,
          words: item.title,
          tone: 'info',
        };
      }),
  );
  const issue = task.source === null ? {} : { url: task.source.url };
  const how = task.replayOf === null ? '' : `, as run ${task.replayOf} again`;
  const created: Moment = {
    key: 'created',
    at: task.createdAt,
    what: `Created by ${task.createdBy}${how}`,
    words: null,
    tone: 'neutral',
    ...issue,
  };
  return [...came, created];
}

function stateOf(event: Event): Moment[] {
  const { id, at, kind, data } = event;
  if (kind.startsWith('change.')) return ofChange(event);
  const to = String(data.to);
  if (kind !== 'task.state' || to === 'running' || to === 'queued') return []; // its runs tell
  const tone = { completed: 'good', failed: 'bad', cancelled: 'neutral' }[to] ?? 'warn';
  const words = typeof data.reason === 'string' ? data.reason : null;
  return [{ key: id, at, what: to === 'pending' ? 'Waits' : `Task ${to}`, words, tone: tone as Tone }];
}

// What the forge tells of its change; that it merges again is no news.
function ofChange({ id, at, kind, data }: Event): Moment[] {
  const words = typeof data.reason === 'string' ? data.reason : null;
  const moment = (what: string, tone: Tone): Moment[] => [{ key: id, at, what, words, tone }];
  if (kind === 'change.moved') return moment('Its branch was moved', 'review');
  if (kind === 'change.reviewed') return moment(reviewed(data), 'review');
  if (kind === 'change.mergeable')
    return data.mergeable === 'conflicts' ? moment('Its change conflicts with the base branch', 'bad') : [];
  return data.to === 'rebased'
    ? moment(`Its change follows change ${String(data.below)}, which was merged`, 'info')
    : moment(`Its change could not follow change ${String(data.below)}, which was merged`, 'warn');
}

function reviewed({ by, review }: Event['data']): string {
  const said = { approved: 'approved it', 'changes-requested': 'asked for changes', commented: 'commented' }[
    String(review)
  ];
  return said === undefined ? `What ${String(by)} said counts no more` : `${String(by)} ${said}`;
}

function runOf(run: Run): Moment[] {
  const began: Moment = {
    key: `${run.id}-began`,
    at: run.createdAt,
    what: `Run ${run.fence} began on ${run.worker}`,
    words: null,
    tone: 'info',
    run: run.id,
  };
  if (run.finishedAt === null) return [began];
  return [
    began,
    {
      key: `${run.id}-ended`,
      at: run.finishedAt,
      what: `Run ${run.fence} ended: ${run.state}`,
      words: run.reason,
      tone: toneOfRun(run),
      run: run.id,
    },
  ];
}

/** The colour of a run's state. */
export function toneOfRun({ state, finishedAt }: Run): Tone {
  if (state === 'succeeded' || state === 'planned') return 'good';
  if (state === 'no-change' || state === 'cancelled') return 'neutral';
  return finishedAt === null ? 'info' : 'bad';
}

function messageOf({ number, author, text, at, run }: TaskMessage): Moment {
  const given = run === null ? 'waits for the agent' : `given to the agent of ${run}`;
  return {
    key: `message-${number}`,
    at,
    what: `${author} said (${given})`,
    words: text,
    tone: 'review',
  };
}

function changeOf(change: Change): Moment[] {
  const about = { change: change.id, ...(change.url === null ? {} : { url: change.url }) };
  const opened: Moment = {
    key: `change-${change.id}`,
    at: change.createdAt,
    what: `Change ${change.id} opened in ${change.repository}`,
    words: change.title,
    tone: 'review',
    ...about,
  };
  if (change.closedAt === null) return [opened];
  return [
    opened,
    {
      key: `change-${change.id}-closed`,
      at: change.closedAt,
      what: `Change ${change.id} ${change.state}`,
      words: null,
      tone: change.state === 'merged' ? 'good' : 'neutral',
      ...about,
    },
  ];
}
