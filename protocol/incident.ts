// Incidents: alarms that belong together, who investigates them, what was found. Used by api/, cli/, incidents/ and, for the
// report, by the worker.
import { z } from 'zod';
import { TaskId, Timestamp } from './ids.ts';
import { Report } from './report.ts';
import { TaskState } from './task.ts';
import { text } from './text.ts';

export const INCIDENT_STATES = ['open', 'settling', 'resolved'] as const;
export const IncidentState = z.enum(INCIDENT_STATES).meta({
  id: 'IncidentState',
  description: '`settling`: all of its alarms are over; it is resolved unless one comes again soon.',
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
      }),
    ),
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
    resolvedAt: Timestamp.nullable(),
    resolvedBy: z.string().nullable().meta({ description: 'Null: all of its alarms were over.' }),
    resolution: z.string().nullable(),
  })
  .meta({ id: 'Incident' });
export type Incident = z.infer<typeof Incident>;

export const IncidentDetails = Incident.extend({
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
