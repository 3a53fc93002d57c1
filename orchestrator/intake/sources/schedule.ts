// A task at times that a cron expression names, in a time zone. Times that passed while the daemon was away are made up for by
// one task, which says so. The text is that of whoever set the source up, and no data from outside.
import { Cron } from 'croner';
import { z } from 'zod';
import type { Polled, Source, SourceDeps, SourceKind } from '../source.ts';

const Settings = z.strictObject({
  cron: z.string().min(1).max(200).refine(isCron, 'is no cron expression, as `30 6 * * 1-5`').meta({
    description: 'Minute, hour, day, month, weekday: `30 6 * * 1-5` is 6:30 from Monday to Friday.',
  }),
  timeZone: z
    .string()
    .min(1)
    .max(100)
    .default('UTC')
    .refine(isTimeZone, 'is no time zone, as `Europe/Berlin`')
    .meta({ description: 'In which the times are, as `Europe/Berlin`.' }),
  title: z.string().trim().min(1).max(300).meta({ description: 'Of the task.' }),
  text: z.string().max(100_000).default('').meta({ description: 'What the agent is told beyond it.' }),
  priority: z.int().min(-100).max(100).default(0).meta({ description: 'Of the task.' }),
});
type Settings = z.infer<typeof Settings>;

const Cursor = z.object({ upTo: z.iso.datetime() });
const Due = z.object({ due: z.iso.datetime(), missed: z.int() });
const LOOK_SECONDS = 5;
const MOST_COUNTED = 1000;

/** Tasks by the clock. */
export const schedule: SourceKind<Settings> = {
  name: 'schedule',
  about: { what: 'A task at times of a cron expression' },
  settings: Settings,
  needsProject: true,
  scope: ({ name }) => name,
  parse: ({ name, settings }, { body }) => {
    const { due, missed } = Due.parse(JSON.parse(body.toString()));
    const times = missed >= MOST_COUNTED ? `more than ${MOST_COUNTED}` : String(missed);
    const note = missed === 0 ? '' : `\n\n(This makes up for ${times} earlier times that were missed.)`;
    return [
      {
        kind: 'task',
        key: due,
        subject: null,
        actor: null,
        byRight: false,
        own: true,
        title: settings.title,
        text: settings.text + note,
        what: `the schedule ${name}`,
        at: new Date(due),
        priority: settings.priority,
      },
    ];
  },
  poll: { everySeconds: () => LOOK_SECONDS, via: 'schedule', ask: dueSince },
  test: async ({ settings }) => {
    const next = cronOf(settings).nextRun();
    return [{ name: 'next time', ok: next !== null, detail: next?.toISOString() ?? 'it never comes' }];
  },
};

// By the database's clock: the first look only notes from when on.
async function dueSince({ settings }: Source<Settings>, given: unknown, { db }: SourceDeps): Promise<Polled> {
  const { rows } = await db.query<{ now: Date }>('select now()');
  const { now } = rows[0]!;
  const cursor = { upTo: now.toISOString() };
  const upTo = Cursor.safeParse(given).data?.upTo;
  const times = upTo === undefined ? undefined : timesBetween(cronOf(settings), new Date(upTo), now);
  if (times === undefined) return { deliveries: [], cursor };
  const due = times.last.toISOString();
  const body = Buffer.from(JSON.stringify({ due, missed: times.count - 1 }));
  return { deliveries: [{ delivery: due, event: 'due', body }], cursor };
}

/** The last time of a schedule after one moment and up to another, and how many there were; undefined for none. */
export function timesBetween(cron: Cron, after: Date, upTo: Date): { last: Date; count: number } | undefined {
  let last: Date | undefined;
  let count = 0;
  for (let next = cron.nextRun(after); next !== null && next <= upTo; next = cron.nextRun(next)) {
    last = next;
    count++;
  }
  return last && { last, count };
}

/** A schedule as croner has it; it starts nothing. */
export function cronOf({ cron, timeZone }: Pick<Settings, 'cron' | 'timeZone'>): Cron {
  return new Cron(cron, { timezone: timeZone, paused: true });
}

function isCron(text: string): boolean {
  try {
    return new Cron(text, { paused: true }).nextRun() !== undefined;
  } catch {
    return false;
  }
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format() !== '';
  } catch {
    return false;
  }
}
