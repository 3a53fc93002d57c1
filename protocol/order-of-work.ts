// What the order of work goes by: classes of tasks, quiet hours, and what becomes of a task whose repository has an open change.
// Used by protocol/task.ts, protocol/project.ts and the configuration.
import { z } from 'zod';

/** Kinds of origin, which share the runs that begin. */
export const TASK_CLASSES = ['incident', 'person', 'ticket', 'schedule'] as const;
export const TaskClass = z.enum(TASK_CLASSES).meta({
  id: 'TaskClass',
  description: 'What it came of; runs are shared out among these when several wait.',
});
export type TaskClass = z.infer<typeof TaskClass>;

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** As a clock shows it. */
export const TimeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'use a time of day, as 22:00');

/** A name of the time zone database. */
export const TimeZone = z
  .string()
  .max(100)
  .refine(isTimeZone, 'use a name of the time zone database, as Europe/Berlin');

export const QuietHours = z
  .strictObject({
    days: z
      .array(z.enum(DAYS))
      .min(1)
      .default([...DAYS])
      .meta({ description: 'On which it begins.' }),
    from: TimeOfDay,
    to: TimeOfDay.meta({ description: 'On the next day where it is not later than `from`.' }),
    timeZone: TimeZone.default('UTC'),
    except: z
      .array(TaskClass)
      .max(TASK_CLASSES.length)
      .default(['incident'])
      .meta({ description: 'Classes of tasks that begin all the same.' }),
  })
  .meta({ id: 'QuietHours', description: 'A time in which no run begins; those at work go on.' });
export type QuietHours = z.infer<typeof QuietHours>;

export const MOST_QUIET_HOURS = 50;

export const AFTER_CHANGE = ['base', 'stack', 'wait'] as const;
export const AfterChange = z.enum(AFTER_CHANGE).meta({
  id: 'AfterChange',
  description:
    'Where a task begins while a repository of it has an open change of another one. `base`: at its base branch; `stack`: at the newest open change, which its own is built upon; `wait`: after that was merged or closed.',
});
export type AfterChange = z.infer<typeof AfterChange>;

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
