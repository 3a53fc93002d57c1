// Incidents: alarms that belong together, who investigates them, what was found. Used by api/, cli/, incidents/ and, for the
// report, by the worker.
import { z } from 'zod';
import { TaskId, Timestamp } from './ids.ts';
import { Report } from './report.ts';
import { TaskState } from './task.ts';
import { text } from './text.ts';

export const INCIDENT_STATES = ['open', 'settling', 'resolved', 'merged'] as const;
export const IncidentState = z.enum(INCIDENT_STATES).meta({
  id: 'IncidentState',
  description:
    '`settling`: all of its alarms are over; it is resolved unless one comes again soon. `merged`: another one has all of it.',
});
export type IncidentState = z.infer<typeof IncidentState>;

export const Incident = z
  .object({
    id: z.number().int(),
    state: IncidentState,
    title: z.string().meta({ description: 'Of its first alarm.' }),
    accounts: z.array(z.string()),
    alarms: z.number().int(),
    firing: z.number().int().meta({ description: 'Alarms that are not over.' }),
    fired: z.number().int().meta({ description: 'How often its alarms were told to fire.' }),
    tasks: z.array(
      z.object({
        task: TaskId,
        project: z.string(),
        state: TaskState,
        dropped: z.boolean().meta({ description: 'Cancelled, since everything was over before it began.' }),
        superseded: z
          .boolean()
          .default(false)
          .meta({ description: 'Incidents were merged, and another task investigates there since.' }),
      }),
    ),
    mergedInto: z
      .int()
      .nullable()
      .default(null)
      .meta({ description: 'The incident that has its alarms and tasks now; those are shown.' }),
    others: z.int().default(0).meta({
      description: 'Its tasks in projects in which whoever asks has no role; no more is told of them.',
    }),
    needsPerson: z
      .string()
      .nullable()
      .meta({ description: 'Why nobody works on it though it is not resolved.' }),
    reopened: z.number().int(),
    firstAt: Timestamp,
    lastAt: Timestamp.meta({ description: 'When the last of its alarms began to fire.' }),
    quietAt: Timestamp.nullable().meta({ description: 'Since when all of its alarms are over.' }),
    resolvedAt: Timestamp.nullable().meta({ description: 'When it was resolved, or merged.' }),
    resolvedBy: z.string().nullable().meta({ description: 'Null: all of its alarms were over.' }),
    resolution: z.string().nullable(),
  })
  .meta({ id: 'Incident' });
export type Incident = z.infer<typeof Incident>;

export const IncidentDetails = Incident.extend({
  mergedFrom: z.array(z.int()).default([]).meta({ description: 'Incidents that were merged into it.' }),
  alarmList: z.array(
    z.object({
      title: z.string(),
      account: z.string(),
      task: TaskId,
      firing: z.boolean(),
      fired: z.number().int().meta({ description: 'How often it was told to fire.' }),
      since: Timestamp.meta({ description: 'Of its state, by its own word.' }),
    }),
  ),
  reports: z.array(z.object({ task: TaskId, run: z.string(), at: Timestamp, report: Report })),
}).meta({ id: 'IncidentDetails' });
export type IncidentDetails = z.infer<typeof IncidentDetails>;

export const IncidentResolution = z
  .strictObject({ reason: text().trim().min(1).max(1000).optional() })
  .meta({ id: 'IncidentResolution' });
export type IncidentResolution = z.infer<typeof IncidentResolution>;

export const IncidentMerge = IncidentResolution.extend({
  from: z.array(z.int().positive()).min(1).max(50).meta({ description: 'What becomes part of the other.' }),
}).meta({ id: 'IncidentMerge' });
export type IncidentMerge = z.infer<typeof IncidentMerge>;
