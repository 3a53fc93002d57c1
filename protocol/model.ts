// Models as the gateway offers them, and the record of each call.
import { z } from 'zod';
import { Timestamp } from './ids.ts';
import { text } from './text.ts';

/** What agents speak: a conversation with tools. */
export const DIALOGUES = ['chat', 'responses', 'messages'] as const;
export const Dialogue = z.enum(DIALOGUES);
export type Dialogue = z.infer<typeof Dialogue>;

export const PROTOCOLS = [...DIALOGUES, 'completions', 'embeddings'] as const;
/** chat: /v1/chat/completions; responses: /v1/responses; messages: /v1/messages; completions: /v1/completions; embeddings: /v1/embeddings. */
export const Protocol = z.enum(PROTOCOLS).meta({ id: 'Protocol' });
export type Protocol = z.infer<typeof Protocol>;

/** What a model is for; `autocode/<role>` asks for one. */
export const MODEL_ROLES = ['coder', 'reasoner', 'small', 'embedding'] as const;

// No more than what the cost of a call of many million tokens is still counted exactly with.
const PerMillion = z.number().nonnegative().max(1e9);

export const Price = z
  .object({
    input: PerMillion,
    cached: PerMillion,
    output: PerMillion,
    reasoning: PerMillion.optional().meta({
      description: 'Of the output that is reasoning; that of output when left out.',
    }),
  })
  .meta({ id: 'Price', description: 'Ledger currency per million tokens.' });
export type Price = z.infer<typeof Price>;

export const Model = z
  .object({
    name: z.string().meta({ description: '`engine/model`' }),
    engine: z.string(),
    kind: z.enum(['upstream', 'replay', 'local']),
    protocols: z.array(Protocol).meta({ description: 'Spoken by its engine, or translated for it.' }),
    price: Price,
    priceSource: z.enum(['configured', 'ceiling', 'recording', 'gpu']).meta({
      description: 'gpu: it costs the time that it keeps GPUs busy, not its tokens.',
    }),
    isDefault: z.boolean(),
    external: z.boolean().default(false).meta({
      description: 'Outside the appliance: only for projects that allow it.',
    }),
    roles: z.array(z.string()).default([]).meta({ description: 'Roles that it serves: `autocode/<role>`.' }),
  })
  .meta({ id: 'Model' });
export type Model = z.infer<typeof Model>;

export const ModelPolicy = z
  .strictObject({
    allow: z.array(text().min(1).max(200)).max(200).default([]).meta({
      description: 'Models and roles that may be used, as `engine/model` or `autocode/coder`; empty: all.',
    }),
    external: z
      .boolean()
      .default(false)
      .meta({ description: 'Allows engines outside the appliance; each call leaves an egress record.' }),
    cacheAnswers: z
      .boolean()
      .default(false)
      .meta({ description: 'Answers a repeated request with temperature 0 from memory.' }),
    keepPrompts: z
      .boolean()
      .default(false)
      .meta({ description: 'Keeps what runs ask and are answered, without secrets and sealed.' }),
  })
  .meta({ id: 'ModelPolicy', description: 'What the agents of a project may ask models for.' });
export type ModelPolicy = z.infer<typeof ModelPolicy>;

// No defaults here: what a patch leaves out stays as it is.
export const ModelPolicyPatch = z
  .strictObject({
    allow: ModelPolicy.shape.allow.unwrap().optional(),
    external: z.boolean().optional(),
    cacheAnswers: z.boolean().optional(),
    keepPrompts: z.boolean().optional(),
  })
  .meta({ id: 'ModelPolicyPatch' });
export type ModelPolicyPatch = z.infer<typeof ModelPolicyPatch>;

export const ModelCall = z
  .object({
    id: z.number().int(),
    run: z.string().nullable(),
    key: z
      .number()
      .int()
      .nullable()
      .meta({ description: 'The key of a person or service, for calls without a run.' }),
    worker: z.string().nullable(),
    at: Timestamp,
    protocol: Protocol,
    modelAsked: z.string(),
    modelServed: z.string(),
    inputTokens: z.number().int(),
    cachedTokens: z.number().int(),
    outputTokens: z.number().int(),
    reasoningTokens: z
      .number()
      .int()
      .nullable()
      .meta({ description: 'How many of the output tokens were reasoning, where the engine says so.' }),
    usageSource: z.enum(['upstream', 'counted', 'estimated']),
    costMicros: z.number().int(),
    status: z.number().int().meta({ description: 'HTTP status sent to the client.' }),
    outcome: z.enum(['ok', 'error', 'aborted']),
    cause: z.enum(['agent', 'retry', 'platform']).meta({
      description:
        'agent: its own; retry: the same again after a failure; platform: of a run that repeats a lost one.',
    }),
    fallback: z
      .string()
      .nullable()
      .meta({ description: 'Why the models before the served one were passed over.' }),
    queueMs: z.number().int(),
    firstByteMs: z.number().int().nullable(),
    totalMs: z.number().int(),
  })
  .meta({ id: 'ModelCall' });
export type ModelCall = z.infer<typeof ModelCall>;

export const EgressRecord = z
  .object({
    at: Timestamp,
    request: z.uuid(),
    run: z.string().nullable(),
    key: z.number().int().nullable().meta({ description: 'The key, for a call without a run.' }),
    project: z.string().nullable(),
    engine: z.string(),
    host: z.string(),
    bytesOut: z.number().int(),
    bytesIn: z
      .number()
      .int()
      .nullable()
      .meta({ description: 'Null while the answer is awaited, or when it never came.' }),
  })
  .meta({ id: 'EgressRecord', description: 'A request that went to an engine outside the appliance.' });
export type EgressRecord = z.infer<typeof EgressRecord>;

export const KeptPrompt = z
  .object({
    request: z.unknown().meta({ description: 'As the agent sent it, but for its secrets.' }),
    answer: z
      .object({ text: z.string(), toolCalls: z.array(z.object({ name: z.string(), arguments: z.string() })) })
      .nullable()
      .meta({ description: 'Null where the answer did not come to a good end.' }),
    redacted: z.number().int().meta({ description: 'How many keys and passwords were taken out.' }),
  })
  .meta({ id: 'KeptPrompt' });
export type KeptPrompt = z.infer<typeof KeptPrompt>;
