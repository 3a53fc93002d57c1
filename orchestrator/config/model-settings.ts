// The configuration of models and of who may call them how often: engines, roles, guards. A part of schema.ts.
import { z } from 'zod';
import { Name } from '../../protocol/ids.ts';
import { LocalModels } from './local-model-settings.ts';
import { Dialogue, MODEL_ROLES, Price, Protocol } from '../../protocol/model.ts';

/** The engine that plays recordings; it needs no configuration. */
const REPLAY = 'replay';
/** What a role is asked for by; no engine may be named so. */
const ALIAS = 'autocode';
/** The models that the appliance runs itself. */
const LOCAL = 'local';

const EngineModel = z.strictObject({
  name: z.string().min(1).max(100).describe('Name that users ask for, after `engine/`.'),
  upstreamModel: z
    .string()
    .min(1)
    .optional()
    .describe('Name that the upstream knows it by; the same when left out.'),
  price: Price.optional().describe('Per million tokens; the ceiling price when left out, never zero.'),
});

const UpstreamEngine = z.strictObject({
  kind: z.literal('upstream').describe('A server that speaks at least one of the protocols.'),
  name: Name.describe('Unique among the engines.'),
  url: z
    .url({ protocol: /^https?$/, error: 'use an http or https address' })
    .describe('Base address, without `/v1`.'),
  protocols: z
    .array(Protocol)
    .min(1)
    .default(['chat'])
    .describe('Protocols that it speaks; others are translated where that is possible (docs/gateway.md).'),
  apiKeySecret: z.string().optional().describe('Name of the secret that holds its API key.'),
  external: z
    .boolean()
    .optional()
    .describe(
      'Whether it is outside the appliance: only for projects that allow it. Told by its address when left out.',
    ),
  concurrency: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe('Requests at a time; more wait in the queue. No limit when left out.'),
  queue: z.int().min(0).max(100_000).default(200).describe('How many may wait; more are refused with 429.'),
  queueSeconds: z.number().positive().max(3600).default(120).describe('How long one may wait at most.'),
  gpu: z
    .strictObject({
      count: z.int().min(1).max(64).describe('GPUs that it runs on.'),
      pricePerHour: z.number().nonnegative().describe('Of one GPU, in the ledger currency.'),
      watts: z.number().nonnegative().default(0).describe('What one GPU takes at work.'),
      pricePerKwh: z.number().nonnegative().default(0).describe('Of energy, in the ledger currency.'),
      since: z.iso
        .date()
        .optional()
        .describe(
          'First day that they are paid for, as 2026-01-31: when they are idle is reported from then on.',
        ),
    })
    .optional()
    .describe(
      'For an engine on GPUs of your own: calls cost the time that they kept the GPUs busy, and its energy.',
    ),
  models: z.array(EngineModel).min(1).describe('Models that it serves.'),
});

const ReplayEngine = z.strictObject({
  kind: z.literal('replay').describe('Plays a recording; needs no model.'),
  name: Name.describe('Unique among the engines.'),
  recording: z.string().min(1).meta({ path: true }).describe('Recording to play.'),
  protocols: z
    .array(Dialogue)
    .min(1)
    .default(['chat', 'responses', 'messages'])
    .describe('Protocols that it offers.'),
  models: z
    .array(EngineModel)
    .default([])
    .describe('Models that it offers; those of the recording when left out.'),
});

export const Engine = z.discriminatedUnion('kind', [UpstreamEngine, ReplayEngine]);
export type Engine = z.infer<typeof Engine>;

const Rungs = z
  .array(z.string().min(1))
  .min(1)
  .optional()
  .describe(
    'Models asked for as `autocode/<role>`, as `engine/model`: the next where one is broken or full.',
  );

export const Models = z
  .strictObject({
    default: z.string().optional().describe('Model for tasks that name none, as `engine/model`.'),
    ceilingPrice: z
      .strictObject({
        input: z
          .number()
          .positive()
          .default(15)
          .describe('Price per million input tokens of a model without a price.'),
        cached: z.number().positive().default(15).describe('The same for input tokens read from a cache.'),
        output: z.number().positive().default(75).describe('The same for output tokens.'),
      })
      .prefault({}),
    roles: z
      .strictObject({ coder: Rungs, reasoner: Rungs, small: Rungs, embedding: Rungs } satisfies Record<
        (typeof MODEL_ROLES)[number],
        typeof Rungs
      >)
      .prefault({}),
    engines: z.array(Engine).default([]).describe('Where models are served from.'),
    local: LocalModels,
  })
  .superRefine((models, context) => {
    const names = models.engines.map((engine) => engine.name);
    for (const [index, name] of names.entries()) {
      if (names.indexOf(name) !== index) {
        context.addIssue({
          code: 'custom',
          path: ['engines', index, 'name'],
          message: `"${name}" is taken by an engine above`,
        });
      }
    }
    if (names.includes(REPLAY)) {
      context.addIssue({
        code: 'custom',
        path: ['engines', names.indexOf(REPLAY), 'name'],
        message: '"replay" is the engine of the recordings, which is always there',
      });
    }
    if (names.includes(LOCAL)) {
      context.addIssue({
        code: 'custom',
        path: ['engines', names.indexOf(LOCAL), 'name'],
        message: '"local" is what models of models.local are asked for by',
      });
    }
    if (names.includes(ALIAS)) {
      context.addIssue({
        code: 'custom',
        path: ['engines', names.indexOf(ALIAS), 'name'],
        message: '"autocode" is what roles are asked for by, as autocode/coder',
      });
    }
    for (const role of MODEL_ROLES) {
      for (const [index, rung] of (models.roles[role] ?? []).entries()) {
        const [engine = '', ...rest] = rung.split('/');
        const served = models.engines.find(({ name }) => name === engine)?.models.map(({ name }) => name);
        if (engine === REPLAY || engine === LOCAL || served?.includes(rest.join('/')) === true) continue;
        context.addIssue({
          code: 'custom',
          path: ['roles', role, index],
          message:
            served === undefined
              ? `names an engine that does not exist; ${names.length === 0 ? 'no engine is configured' : `the engines are ${names.join(', ')}`}`
              : `names a model that ${engine} does not serve; it serves ${served.join(', ')}`,
        });
      }
    }
    const engine = models.default?.split('/')[0];
    if (engine !== undefined && engine !== REPLAY && engine !== LOCAL && !names.includes(engine)) {
      const known = names.length === 0 ? 'no engine is configured' : `the engines are ${names.join(', ')}`;
      context.addIssue({
        code: 'custom',
        path: ['default'],
        message: `names an engine that does not exist; ${known}`,
      });
    }
  });

/** What one run may do at the gateway before it is stopped: an agent that loops costs money. */
export const Guards = z.strictObject({
  callsPerRun: z.int().min(1).default(2_000).describe('Model calls of one run.'),
  tokensPerRun: z.int().min(1).default(200_000_000).describe('Tokens of one run, cached ones counted in.'),
  sameRequests: z
    .int()
    .min(2)
    .default(8)
    .describe('How often in a row a run may send the same request, and have it answered.'),
  sameToolCalls: z
    .int()
    .min(2)
    .default(16)
    .describe('How often in a row a model may call the same tool with the same arguments.'),
});
