// What people and channels are told: kinds, rules, the inbox, deliveries.
import { z } from 'zod';
import { Name, Timestamp } from './ids.ts';

export const NOTIFICATION_KINDS = [
  'change.ready',
  'change.approved',
  'change.changes-requested',
  'change.conflict',
  'change.stuck',
  'task.failed',
  'task.approval',
  'budget.reached',
  'incident.opened',
  'incident.needs-person',
  'egress.anomaly',
  'secret.misused',
  'intake.approval',
  'intake.failed',
] as const;
export const NotificationKind = z.enum(NOTIFICATION_KINDS).meta({ id: 'NotificationKind' });
export type NotificationKind = z.infer<typeof NotificationKind>;

export const CHANNEL_KINDS = ['slack', 'webhook', 'email'] as const;

const ruleFields = {
  project: Name.nullable().default(null).meta({ description: 'Only of this project; null: of all.' }),
  kinds: z.array(NotificationKind).min(1).max(NOTIFICATION_KINDS.length),
  channels: z.array(Name).max(20).default([]).meta({ description: 'Where they go besides the inbox.' }),
  ownTasks: z.boolean().default(false).meta({
    description: 'Only of tasks that the person of the rule gave; not for rules of the installation.',
  }),
};

export const OwnNotificationRuleInput = z.strictObject(ruleFields).meta({ id: 'OwnNotificationRuleCreate' });
export type OwnNotificationRuleInput = z.infer<typeof OwnNotificationRuleInput>;

export const NotificationRuleInput = z
  .strictObject({
    ...ruleFields,
    person: Name.nullable().default(null).meta({
      description: 'Into whose inbox; null: that of the installation, which tokens of nobody read.',
    }),
  })
  .meta({ id: 'NotificationRuleCreate' });
export type NotificationRuleInput = z.infer<typeof NotificationRuleInput>;

/** What is left out stays. */
export const NotificationRulePatch = z
  .strictObject({
    project: Name.nullable().optional().meta({ description: 'Only of this project; null: of all.' }),
    kinds: ruleFields.kinds.optional(),
    channels: z.array(Name).max(20).optional(),
    ownTasks: z.boolean().optional(),
  })
  .meta({ id: 'NotificationRulePatch' });
export type NotificationRulePatch = z.infer<typeof NotificationRulePatch>;

export const NotificationRule = z
  .object({
    id: z.number().int(),
    person: z.string().nullable(),
    project: z.string().nullable(),
    kinds: z.array(z.string()),
    channels: z.array(z.string()),
    ownTasks: z.boolean(),
    createdBy: z.string(),
    createdAt: Timestamp,
  })
  .meta({ id: 'NotificationRule' });
export type NotificationRule = z.infer<typeof NotificationRule>;

export const Notification = z
  .object({
    id: z.number().int(),
    kind: z.string(),
    project: z.string().nullable(),
    task: z.number().int().nullable(),
    title: z.string(),
    body: z.string(),
    path: z.string().nullable().meta({ description: 'Of the web page.' }),
    count: z.number().int().meta({ description: 'How often the same was told before it was read.' }),
    firstAt: Timestamp.meta({ description: 'The first time of these; `at` is the last.' }),
    at: Timestamp,
    readAt: Timestamp.nullable(),
  })
  .meta({ id: 'Notification' });
export type Notification = z.infer<typeof Notification>;

export const Inbox = z
  .object({ unread: z.number().int(), notifications: z.array(Notification) })
  .meta({ id: 'Inbox' });
export type Inbox = z.infer<typeof Inbox>;

export const ReadNotifications = z
  .union([
    z.strictObject({
      upTo: z.number().int().positive().meta({ description: 'All up to this one were read.' }),
    }),
    z.strictObject({
      only: z.array(z.number().int().positive()).min(1).max(1000).meta({ description: 'These were read.' }),
    }),
  ])
  .meta({ id: 'ReadNotifications' });
export type ReadNotifications = z.infer<typeof ReadNotifications>;

export const NotificationChannel = z
  .object({
    name: z.string(),
    kind: z.enum(CHANNEL_KINDS),
    forPeople: z.boolean().meta({ description: 'Whether people may name it in rules of their own.' }),
  })
  .meta({ id: 'NotificationChannel' });
export type NotificationChannel = z.infer<typeof NotificationChannel>;

/** held: by quiet hours or for a digest; joined: it went out as a part of a digest. */
export const NOTIFICATION_DELIVERY_STATES = ['held', 'waiting', 'sent', 'failed', 'joined'] as const;
export const NotificationDeliveryState = z.enum(NOTIFICATION_DELIVERY_STATES);
export type NotificationDeliveryState = z.infer<typeof NotificationDeliveryState>;

export const NotificationDelivery = z
  .object({
    id: z.number().int(),
    channel: z.string().meta({ description: 'Its name; `email` or `push` for those of a person.' }),
    person: z.string().nullable().meta({ description: 'Whose email or browser it is.' }),
    message: z.string().meta({ description: 'The id that the receiver sees, the same with each try.' }),
    kind: z.string(),
    title: z.string(),
    state: NotificationDeliveryState,
    count: z.number().int().meta({ description: 'How often the same was to be told before it was sent.' }),
    digest: z.number().int().nullable().meta({ description: 'The delivery that it is a part of.' }),
    tries: z.number().int(),
    retryAt: Timestamp.nullable().meta({ description: 'When it is sent, or tried again.' }),
    trouble: z.string().nullable(),
    createdAt: Timestamp,
    endedAt: Timestamp.nullable(),
  })
  .meta({ id: 'NotificationDelivery' });
export type NotificationDelivery = z.infer<typeof NotificationDelivery>;
