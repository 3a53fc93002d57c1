// The lines of a run's log. A run has two streams: `events` (these records, JSON lines) and `raw` (the agent's own bytes). In what is kept, secrets are masked.
import { z } from 'zod';

export const LOG_STREAMS = ['events', 'raw'] as const;
export const LogStream = z.enum(LOG_STREAMS).meta({ id: 'LogStream' });
export type LogStream = z.infer<typeof LogStream>;

/** A batch waits at most this long after its first byte, and holds at most this much (before compression). */
export const LOG_BATCH_MS = 50;
export const LOG_BATCH_BYTES = 64 * 1024;

/** The steps of a run, in the order of the architecture page; fault tests and progress bars are driven by these names. */
export const RUN_STEPS = [
  'base',
  'workspace',
  'base-verify',
  'context',
  'plan',
  'execute',
  'verify',
  'adjust',
  'push',
  'final-verify',
  'finish',
] as const;

const at = { t: z.number().int().meta({ description: 'Milliseconds since 1970, clock of the worker.' }) };

export const RunEvent = z
  .discriminatedUnion('type', [
    z.object({
      ...at,
      type: z.literal('step'),
      step: z.enum(RUN_STEPS),
      status: z.enum(['started', 'ended', 'failed']),
      iteration: z.number().int().optional(),
      detail: z.string().optional(),
    }),
    z.object({
      ...at,
      type: z.literal('message'),
      role: z.enum(['agent', 'thought', 'prompt', 'person']),
      text: z.string(),
    }),
    z.object({
      ...at,
      type: z.literal('tool_call'),
      id: z.string(),
      title: z.string(),
      kind: z.string(),
      status: z.string(),
      paths: z.array(z.string()).optional(),
    }),
    z.object({
      ...at,
      type: z.literal('file_change'),
      path: z.string(),
      change: z.enum(['added', 'modified', 'deleted']),
    }),
    z.object({
      ...at,
      type: z.literal('usage'),
      inputTokens: z.number(),
      cachedTokens: z.number(),
      outputTokens: z.number(),
    }),
    z.object({
      ...at,
      type: z.literal('output'),
      source: z.string().meta({ description: 'As `verify:test` or `agent:stderr`.' }),
      text: z.string(),
    }),
    z.object({ ...at, type: z.literal('notice'), text: z.string() }),
    z.object({ ...at, type: z.literal('error'), message: z.string() }),
  ])
  .meta({ id: 'RunEvent' });
export type RunEvent = z.infer<typeof RunEvent>;

/** Answer to an appended batch: bytes of the stream that are on disk. */
export const LogAck = z.object({ bytes: z.number().int().nonnegative() }).meta({ id: 'LogAck' });
export type LogAck = z.infer<typeof LogAck>;

// --- lines by their numbers, for whoever sees a window of a log ---

/** More of one line is not sent with others; the bytes of the stream have it all. */
export const LOG_LINE_BYTES = 64 * 1024;

const from = z.number().int().positive().meta({ description: 'Number of the line, from 1.' });
const offset = z.number().int().nonnegative().meta({ description: 'Byte of the stream at which it begins.' });

export const LogLine = z
  .object({
    line: from,
    at: offset,
    bytes: z.number().int().nonnegative().meta({ description: 'How long it is, without its newline.' }),
    text: z.string().meta({ description: `Its first ${LOG_LINE_BYTES / 1024} KiB.` }),
  })
  .meta({ id: 'LogLine' });
export type LogLine = z.infer<typeof LogLine>;

export const LogLines = z
  .object({
    state: z.enum(['open', 'complete', 'truncated']),
    bytes: z.number().int().nonnegative().meta({ description: 'Length of the stream.' }),
    redacted: z.number().int().nonnegative().meta({ description: 'How many of its bytes are masked.' }),
    total: z
      .number()
      .int()
      .nonnegative()
      .meta({ description: 'Lines of the stream, one whose newline has not come yet counted in.' }),
    lines: z.array(LogLine).meta({
      description: 'In their order; fewer than were asked for where they are long: ask again from the next.',
    }),
  })
  .meta({ id: 'LogLines' });
export type LogLines = z.infer<typeof LogLines>;

export const LogMatches = z
  .object({
    matches: z
      .array(
        z.object({
          line: from,
          at: offset,
          text: z.string().meta({ description: 'What is around the match, without colours.' }),
        }),
      )
      .meta({ description: 'Each line once.' }),
    next: z
      .number()
      .int()
      .nonnegative()
      .nullable()
      .meta({ description: 'Where to go on, as `from` or else as `before`; null when all was searched.' }),
    searched: z.number().int().nonnegative().meta({ description: 'Bytes that this call has looked at.' }),
  })
  .meta({ id: 'LogMatches' });
export type LogMatches = z.infer<typeof LogMatches>;
