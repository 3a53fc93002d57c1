// Intake: the sources from which work finds its way in, what they delivered, and what became of it. Used by api/, cli/ and intake/.
import { z } from 'zod';
import { Name, Timestamp } from './ids.ts';
import { SecretName } from './secret.ts';
import { text } from './text.ts';

export const SOURCE_KINDS = ['forge', 'webhook', 'schedule', 'sqs', 'alertmanager', 'jira'] as const;
export const SourceKindName = z.enum(SOURCE_KINDS).meta({ id: 'IntakeSourceKind' });
export type SourceKindName = z.infer<typeof SourceKindName>;

/** Whose word starts work, and how much of it. */
export const Trust = z
  .strictObject({
    actors: z.array(text().trim().min(1).max(200)).max(1000).default([]).meta({
      description:
        'Who may start work and say something to it, as the source names them; `*` is everybody. When empty: only what took a right at the source, as setting a label.',
    }),
    perHour: z
      .number()
      .int()
      .min(1)
      .max(100_000)
      .default(60)
      .meta({ description: 'Items taken in an hour.' }),
    perActorPerHour: z
      .number()
      .int()
      .min(1)
      .max(100_000)
      .default(20)
      .meta({ description: 'Items taken in an hour from one actor.' }),
    quarantine: z
      .boolean()
      .default(true)
      .meta({ description: 'Text that looks like instructions to an agent waits for a person.' }),
    reopenings: z
      .number()
      .int()
      .min(0)
      .max(1000)
      .default(10)
      .meta({ description: 'Times that one task is opened again by what is said afterwards.' }),
  })
  .meta({ id: 'IntakeTrust' });
export type Trust = z.infer<typeof Trust>;

export const SourceInput = z
  .strictObject({
    name: Name,
    kind: SourceKindName,
    project: Name.optional().meta({
      description: 'Whose tasks come of it; a forge finds the project by the repository when left out.',
    }),
    trust: Trust.prefault({}),
    settings: z
      .record(z.string(), z.unknown())
      .default({})
      .meta({ description: 'Of its kind; see docs/intake.md.' }),
    secret: z
      .string()
      .min(1)
      .max(65_536)
      .optional()
      .meta({ description: 'What it is authentic by; kept as the secret `intake-NAME`.' }),
  })
  .meta({ id: 'IntakeSourceCreate' });
export type SourceInput = z.infer<typeof SourceInput>;

/** A source is changed against the version that was seen; what is left out stays as it is. */
export const SourcePatch = z
  .strictObject({
    version: text()
      .max(100)
      .meta({ description: 'Of the source as it was seen; refused where somebody has changed it since.' }),
    project: Name.nullable().optional().meta({ description: 'null: found by what the source says.' }),
    trust: Trust.optional(),
    settings: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({ description: 'All of them: what is left out is as if it had never been given.' }),
    secret: z.string().min(1).max(65_536).optional().meta({ description: 'Instead of the one before.' }),
  })
  .meta({ id: 'IntakeSourcePatch' });
export type SourcePatch = z.infer<typeof SourcePatch>;

/** What sources of a kind are asked for where one is added. */
export const SourceKindDetails = z
  .object({
    kind: SourceKindName,
    what: z.string().meta({ description: 'What it is, in a line.' }),
    needsProject: z.boolean().meta({ description: 'Nothing that comes tells whose it is.' }),
    hook: z.boolean().meta({ description: 'Deliveries are sent to an address of its own.' }),
    secret: z.string().nullable().meta({ description: 'What its secret is; null where it has none.' }),
    farSide: z
      .string()
      .nullable()
      .meta({ description: 'What is to be set up where it comes from; null: nothing.' }),
    settings: z.record(z.string(), z.unknown()).meta({ description: 'JSON schema of its settings.' }),
  })
  .meta({ id: 'IntakeSourceKindDetails' });
export type SourceKindDetails = z.infer<typeof SourceKindDetails>;

export const SourceKinds = z
  .object({
    kinds: z.array(SourceKindDetails),
    trust: z
      .record(z.string(), z.unknown())
      .meta({ description: 'JSON schema of the trust of all of them.' }),
  })
  .meta({ id: 'IntakeSourceKinds' });
export type SourceKinds = z.infer<typeof SourceKinds>;

export const IntakeSource = z
  .object({
    name: Name,
    kind: SourceKindName,
    project: z.string().nullable(),
    trust: Trust,
    settings: z.record(z.string(), z.unknown()),
    version: z.string().meta({ description: 'Another one when project, trust or settings have changed.' }),
    secretName: SecretName,
    hook: z
      .string()
      .nullable()
      .meta({ description: 'Path that deliveries are sent to; null where it has none.' }),
    paused: z.boolean(),
    lookedAt: Timestamp.nullable().meta({ description: 'When it was last asked, where it is.' }),
    trouble: z.string().nullable().meta({ description: 'Why it could not be asked at the last try.' }),
    waiting: z.number().int().meta({ description: 'Deliveries that were not worked on yet.' }),
    createdBy: z.string(),
    createdAt: Timestamp,
  })
  .meta({ id: 'IntakeSource' });
export type IntakeSource = z.infer<typeof IntakeSource>;

export const SourceTest = z
  .object({
    ok: z.boolean(),
    checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
  })
  .meta({ id: 'IntakeSourceTest' });
export type SourceTest = z.infer<typeof SourceTest>;

/** What became of something that came in. */
export const VERDICTS = [
  'created', // a task
  'appended', // as a message to a task that goes on
  'reopened', // a task that had ended, as a message for its next run
  'duplicate', // of what came before
  'ignored', // for a reason
  'quarantined', // until a person decides
  'rejected', // by a person
] as const;
export const Verdict = z.enum(VERDICTS).meta({ id: 'IntakeVerdict' });
export type Verdict = z.infer<typeof Verdict>;

export const IntakeItem = z
  .object({
    id: z.number().int(),
    delivery: z.number().int(),
    source: z.string(),
    key: z.string().meta({ description: 'The same however it came.' }),
    subject: z.string().nullable(),
    actor: z.string().nullable(),
    title: z.string(),
    verdict: Verdict,
    reason: z.string().nullable(),
    task: z.number().int().nullable(),
    project: z
      .string()
      .nullable()
      .default(null)
      .meta({ description: 'Of its task, or that it would have been of; null: nothing told one.' }),
    incident: z.number().int().nullable().default(null).meta({ description: 'Of an alarm.' }),
    unanswered: z
      .string()
      .nullable()
      .meta({ description: 'Why its task could not be answered where it came from.' }),
    at: Timestamp,
  })
  .meta({ id: 'IntakeItem' });
export type IntakeItem = z.infer<typeof IntakeItem>;

export const DELIVERY_STATES = ['waiting', 'done', 'failed'] as const;
export const DeliveryState = z.enum(DELIVERY_STATES).meta({ id: 'IntakeDeliveryState' });

export const IntakeDelivery = z
  .object({
    id: z.number().int(),
    source: z.string(),
    project: z.string().nullable().default(null).meta({ description: 'Of its source, if that has one.' }),
    delivery: z.string().meta({ description: 'Its name at the source.' }),
    via: z.enum(['webhook', 'poll', 'queue', 'schedule']),
    event: z.string(),
    sha256: z.string(),
    state: DeliveryState,
    attempts: z.number().int(),
    repeats: z.number().int().meta({ description: 'How often it came again.' }),
    reason: z.string().nullable(),
    receivedAt: Timestamp,
    kept: z.boolean().meta({ description: 'Whether its body is kept still, so that it can be replayed.' }),
    items: z.array(IntakeItem),
    others: z.int().default(0).meta({
      description: 'Its items of projects in which whoever asks has no role; no more is told of them.',
    }),
  })
  .meta({ id: 'IntakeDelivery' });
export type IntakeDelivery = z.infer<typeof IntakeDelivery>;

/** The answer to a webhook: it is durable, work comes after. */
export const Accepted = z
  .object({
    delivery: z.number().int(),
    repeated: z.boolean().meta({ description: 'It had come before.' }),
  })
  .meta({ id: 'IntakeAccepted' });
export type Accepted = z.infer<typeof Accepted>;
