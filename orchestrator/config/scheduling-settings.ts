// Configuration of the order of work (`scheduling`). Part of schema.ts; read by the claim, the sweep and explanations.
import { z } from 'zod';
import { MOST_QUIET_HOURS, QuietHours } from '../../protocol/order-of-work.ts';

const Runs = z.int().min(1).max(100_000);
const Weight = z.number().positive().max(1000);
const Named = z.record(z.string().min(1).max(200), Runs).default({});

export const SchedulingSettings = z.strictObject({
  priorityMinutes: z
    .int()
    .min(1)
    .max(7 * 24 * 60)
    .default(10)
    .describe(
      'Minutes of waiting that one step of priority outweighs; for what is given, or gets another priority, from then on.',
    ),
  shares: z
    .strictObject({
      incident: Weight.default(4).describe('Weight of tasks that alarms made.'),
      person: Weight.default(2).describe('Weight of tasks that people and programs gave.'),
      ticket: Weight.default(2).describe('Weight of tasks of issues and webhooks.'),
      schedule: Weight.default(1).describe('Weight of tasks of schedules.'),
    })
    .prefault({})
    .describe('While tasks of several classes wait, each gets its share of the runs that begin.'),
  limits: z
    .strictObject({
      perSource: Runs.optional().describe('Runs at a time of the tasks of one intake source.'),
      perProject: Runs.optional().describe('Runs at a time of one project, where it names no number itself.'),
      perAccount: Runs.optional().describe('Runs at a time of the tasks about one account.'),
      sources: Named.describe('The same for single sources, by name; `api`: what people and programs give.'),
      accounts: Named.describe('The same for single accounts.'),
    })
    .prefault({}),
  quietHours: z
    .array(QuietHours)
    .max(MOST_QUIET_HOURS)
    .default([])
    .describe(
      'Times in which no run begins, as `{from: "22:00", to: "06:00", timeZone: Europe/Berlin}`; a project may have its own instead.',
    ),
});

export type SchedulingSettings = z.infer<typeof SchedulingSettings>;
