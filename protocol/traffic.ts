// Records of what runs have asked for outside, allowed or not, as the egress proxy writes them and the API shows them.
import { z } from 'zod';
import { Timestamp } from './ids.ts';

export const TRAFFIC_DECISIONS = ['allowed', 'denied', 'refused'] as const;
export const TrafficDecision = z.enum(TRAFFIC_DECISIONS).meta({
  id: 'TrafficDecision',
  description:
    '`denied` by the policy; `refused` for another reason: no identity, no room for the record, no TLS.',
});
export type TrafficDecision = z.infer<typeof TrafficDecision>;

const words = () => z.string().nullable().default(null);
const count = () => z.number().nonnegative().nullable().default(null);
const headers = () =>
  z
    .array(z.tuple([z.string(), z.string()]))
    .nullable()
    .default(null);

export const TrafficRecord = z
  .object({
    id: z.string(),
    event: z.enum(['open', 'close']).meta({
      description: '`open`: it was let out, and its end is not known (yet).',
    }),
    at: Timestamp,
    run: words(),
    task: z.number().int().nullable().default(null),
    project: words(),
    kind: words(),
    worker: words(),
    listener: z
      .enum(['explicit', 'transparent', 'resolver'])
      .default('explicit')
      .meta({ description: 'Where it came in; `resolver`: a name that was not looked up.' }),
    client: words().meta({ description: 'Address that it came from.' }),
    method: words(),
    scheme: words(),
    host: words(),
    port: z.number().int().nullable().default(null),
    url: words().meta({ description: 'Without values that look like secrets.' }),
    address: words().meta({ description: 'Address that the name was looked up to, and connected to.' }),
    decision: TrafficDecision,
    rule: words().meta({ description: 'The rule that decided.' }),
    reason: words(),
    allowedBy: words().meta({ description: 'The narrowest rule that would have allowed it.' }),
    policy: words().meta({ description: 'Version of the policy that decided.' }),
    injected: z
      .array(z.string())
      .default([])
      .meta({ description: 'Secrets that were put in the place of placeholders.' }),
    misused: words().meta({
      description: 'The secret that was to go where no binding lets it go; empty for an unknown placeholder.',
    }),
    status: z.number().int().nullable().default(null),
    http: words(),
    tls: words(),
    requestHeaders: headers(),
    responseHeaders: headers(),
    bytesOut: count(),
    bytesIn: count(),
    durationMs: count(),
    messagesOut: count().meta({ description: 'Of a WebSocket.' }),
    messagesIn: count(),
    limited: words().meta({ description: 'The limit that it was over.' }),
    cache: z.enum(['hit', 'miss']).nullable().default(null).meta({
      description: '`hit`: it came from the cache and reached nobody; `miss`: it might have.',
    }),
    error: words(),
  })
  .meta({ id: 'TrafficRecord' });
export type TrafficRecord = z.infer<typeof TrafficRecord>;

export const TRAFFIC_SOURCES = ['spool', 'elasticsearch'] as const;
export const TrafficSource = z.enum(TRAFFIC_SOURCES).meta({
  id: 'TrafficSource',
  description:
    'Where records are looked for: in Elasticsearch when left out and it is configured, else in the spool.',
});
export type TrafficSource = z.infer<typeof TrafficSource>;

export const TrafficPage = z
  .object({
    records: z.array(TrafficRecord).meta({ description: 'The last first.' }),
    complete: z
      .boolean()
      .meta({ description: 'False where there was more to read than is read for one question.' }),
  })
  .meta({ id: 'TrafficPage' });
export type TrafficPage = z.infer<typeof TrafficPage>;

export const TRAFFIC_GROUPS = ['run', 'project', 'worker', 'host', 'decision', 'method'] as const;
export const TrafficReport = z
  .object({
    by: z.enum(TRAFFIC_GROUPS),
    groups: z.array(
      z.object({
        name: z.string().nullable(),
        requests: z.number().int(),
        denied: z.number().int(),
        bytesOut: z.number(),
        bytesIn: z.number(),
      }),
    ),
    complete: z.boolean(),
  })
  .meta({ id: 'TrafficReport' });
export type TrafficReport = z.infer<typeof TrafficReport>;

export const TRAFFIC_BUCKETS = ['minute', 'hour', 'day'] as const;
export const TRAFFIC_SUMS = ['requests', 'denied', 'bytesOut', 'bytesIn'] as const;
const overTime = {
  requests: z.array(z.int()),
  denied: z.array(z.int()).meta({ description: 'Of the requests, those that were not let out.' }),
  bytesOut: z.array(z.number()),
  bytesIn: z.array(z.number()),
};
export const TrafficTimeline = z
  .object({
    by: z.enum(TRAFFIC_GROUPS),
    since: Timestamp.meta({ description: 'Where the first bucket begins.' }),
    until: Timestamp.meta({ description: 'Where the last one ends.' }),
    bucket: z.enum(TRAFFIC_BUCKETS),
    times: z.array(Timestamp).meta({ description: 'When each bucket begins; days are those of UTC.' }),
    groups: z
      .array(z.object({ name: z.string().nullable(), ...overTime }))
      .meta({ description: 'Those with the most, each with a value a bucket.' }),
    rest: z.object(overTime).nullable().meta({ description: 'All others together, where there are some.' }),
    complete: z
      .boolean()
      .meta({ description: 'False where there was more to read than is read for one question.' }),
  })
  .meta({ id: 'TrafficTimeline' });
export type TrafficTimeline = z.infer<typeof TrafficTimeline>;

export const Refusal = z
  .object({
    method: z.string(),
    url: z.string(),
    times: z.number().int(),
    allowedBy: words(),
    misused: words(),
    during: words().meta({
      description: 'What the run did when it first asked: the tool call of its agent, else the step.',
    }),
  })
  .meta({ id: 'Refusal', description: 'What a run asked for outside and did not get.' });
export type Refusal = z.infer<typeof Refusal>;
