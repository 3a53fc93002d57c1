// Models as the gateway offers them, and the record of each call.
import { z } from 'zod';
import { Timestamp } from './ids.ts';

export const PROTOCOLS = ['chat', 'responses', 'messages'] as const;
/** chat: /v1/chat/completions; responses: /v1/responses; messages: /v1/messages. */
export const Protocol = z.enum(PROTOCOLS).meta({ id: 'Protocol' });
export type Protocol = z.infer<typeof Protocol>;

export const Price = z
  .object({
    input: z.number().nonnegative(),
    cached: z.number().nonnegative(),
    output: z.number().nonnegative(),
  })
  .meta({ id: 'Price', description: 'Ledger currency per million tokens.' });
export type Price = z.infer<typeof Price>;

export const Model = z
  .object({
    name: z.string().meta({ description: '`engine/model`' }),
    engine: z.string(),
    kind: z.enum(['upstream', 'replay']),
    protocols: z.array(Protocol),
    price: Price,
    priceSource: z.enum(['configured', 'ceiling', 'recording']),
    isDefault: z.boolean(),
  })
  .meta({ id: 'Model' });
export type Model = z.infer<typeof Model>;

export const ModelCall = z
  .object({
    id: z.number().int(),
    run: z.string(),
    at: Timestamp,
    protocol: Protocol,
    modelAsked: z.string(),
    modelServed: z.string(),
    inputTokens: z.number().int(),
    cachedTokens: z.number().int(),
    outputTokens: z.number().int(),
    usageSource: z.enum(['upstream', 'counted', 'estimated']),
    costMicros: z.number().int(),
    status: z.number().int().meta({ description: 'HTTP status sent to the client.' }),
    outcome: z.enum(['ok', 'error', 'aborted']),
    firstByteMs: z.number().int().nullable(),
    totalMs: z.number().int(),
  })
  .meta({ id: 'ModelCall' });
export type ModelCall = z.infer<typeof ModelCall>;
