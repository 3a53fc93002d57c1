// What a run was not allowed, and what it was doing then: the records of traffic beside the run's own events. Used by the API and by
// the text of pull requests.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { RunEvent } from '../../../protocol/log.ts';
import type { Refusal } from '../../../protocol/traffic.ts';
import { logFile } from '../../workers/log-store.ts';
import { searchTraffic } from './search.ts';

const MOST = 50;

interface Activity {
  title: string;
  /** In milliseconds since 1970. */
  from: number;
  to: number;
}

/** What a run was not allowed, in the order in which it asked; the same one again only counts. */
export async function refusalsOf(
  { spool, logs }: { spool: string; logs: string },
  run: string,
  since: string,
): Promise<Refusal[]> {
  const { records } = await searchTraffic(spool, { run, since, decision: 'denied', limit: 10_000 });
  if (records.length === 0) return [];
  const activities = await activitiesIn(logFile(logs, run, 'events'));
  const found = new Map<string, Refusal>();
  for (const { at, method, url, allowedBy, misused } of records.toReversed()) {
    const key = `${method} ${url} ${misused}`;
    const known = found.get(key);
    if (known !== undefined) known.times += 1;
    else if (found.size < MOST) {
      const during = activityAt(activities, Date.parse(at));
      found.set(key, { method: method ?? '', url: url ?? '', times: 1, allowedBy, misused, during });
    }
  }
  return [...found.values()];
}

// The last to have begun is the innermost: a tool call of the agent goes before the step that it is part of.
function activityAt(activities: readonly Activity[], at: number): string | null {
  return activities.findLast(({ from, to }) => from <= at && at <= to)?.title ?? null;
}

/** Steps and tool calls of a run, in the order of their beginnings. */
async function activitiesIn(file: string): Promise<Activity[]> {
  const activities: Activity[] = [];
  const open = new Map<string, Activity>();
  const note = (key: string, title: string, at: number, ended: boolean) => {
    let activity = open.get(key);
    if (activity === undefined) {
      activity = { title, from: at, to: Infinity };
      activities.push(activity);
      open.set(key, activity);
    }
    activity.title = title || activity.title;
    if (!ended) return;
    activity.to = at;
    open.delete(key);
  };
  for await (const line of linesOf(file)) {
    if (!line.includes('"tool_call"') && !line.includes('"step"')) continue;
    const event = eventIn(line);
    if (event?.type === 'step') note(`step ${event.step}`, event.step, event.t, event.status !== 'started');
    if (event?.type === 'tool_call')
      note(`call ${event.id}`, event.title, event.t, ['completed', 'failed'].includes(event.status));
  }
  return activities;
}

async function* linesOf(file: string): AsyncGenerator<string> {
  try {
    yield* createInterface({ input: createReadStream(file), crlfDelay: Infinity });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error; // the log is gone, or there was none yet
  }
}

// A line that was cut off is none.
function eventIn(line: string): RunEvent | undefined {
  try {
    return RunEvent.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
