// Events of the outbox, as sent over SSE. The id is a cursor: `<transaction>-<serial>`, to be given back as Last-Event-ID.
import { z } from 'zod';
import { Timestamp } from './ids.ts';

export const EVENT_KINDS = [
  'project.created',
  'project.changed',
  'person.created',
  'person.changed',
  'person.signed-in',
  'person.refused',
  'task.created',
  'task.state',
  'task.changed',
  'task.message',
  'run.created',
  'run.state',
  'run.plan',
  'change.opened',
  'change.merged',
  'change.closed',
  'change.moved',
  'change.reviewed',
  'change.mergeable',
  'change.followed',
  'worker.online',
  'worker.offline',
  'worker.invited',
  'worker.joined',
  'worker.draining',
  'worker.resumed',
  'worker.removed',
  'fleet.scaled',
  'fleet.dispatched',
  'fleet.mended',
  'budget.set',
  'budget.removed',
  'budget.reached',
  'price.set',
  'purchase.state',
  'prompt.read',
  'secret.revealed',
  'secret.bound',
  'secret.unbound',
  'secret.misused',
  'gpu.warning',
  'gpu.lost',
  'gpu.back',
  'drain.begun',
  'drain.drained',
  'drain.overdue',
  'drain.ended',
  'egress.policy',
  'egress.recording',
  'egress.anomaly',
  'intake.quarantined',
  'intake.unanswered',
  'intake.failed',
  'incident.opened',
  'incident.appended',
  'incident.resolved',
  'incident.reopened',
  'incident.merged',
  'incident.needs-person',
  'notification.told',
] as const;

export const EventId = z.string().regex(/^\d{1,20}-\d{1,20}$/);

export const Event = z
  .object({
    id: EventId,
    at: Timestamp,
    kind: z.enum(EVENT_KINDS),
    project: z.number().int().nullable(),
    task: z.number().int().nullable(),
    run: z.string().nullable(),
    data: z
      .record(z.string(), z.unknown())
      .meta({ description: 'For *.state: `from`, `to`, `reason`; for others the particulars of the kind.' }),
  })
  .meta({ id: 'Event' });
export type Event = z.infer<typeof Event>;
export type EventKind = Event['kind'];
