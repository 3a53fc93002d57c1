// Models that the appliance runs on its own GPUs: the catalogue's entries, what runs, what would fit, why it was decided so.
import { z } from 'zod';
import { Timestamp } from './ids.ts';
import { MODEL_ROLES } from './model.ts';
import { text } from './text.ts';

const Mib = z.number().int().nonnegative();

export const LocalModelName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'use lower-case letters, digits, dot, dash and underscore')
  .meta({ id: 'LocalModelName', description: 'Asked for as `local/<name>`, or by the name alone.' });

export const MANAGED_ENGINES = ['vllm', 'ray-serve', 'ollama'] as const;
export const ManagedEngineKind = z.enum(MANAGED_ENGINES).meta({ id: 'ManagedEngineKind' });
export type ManagedEngineKind = z.infer<typeof ManagedEngineKind>;

/** What decides how much memory a model needs. Read from its weights; in the catalogue for weights that are not here yet. */
export const ModelShape = z
  .strictObject({
    weightsBytes: z.number().int().positive().meta({ description: 'Sum of the safetensors files.' }),
    parameters: z
      .number()
      .int()
      .positive()
      .optional()
      .meta({ description: 'For planning in another precision.' }),
    layers: z.number().int().positive(),
    hiddenSize: z.number().int().positive(),
    heads: z.number().int().positive(),
    kvHeads: z.number().int().positive(),
    headDim: z.number().int().positive(),
    vocabulary: z.number().int().positive(),
    kvLayers: z
      .number()
      .int()
      .nonnegative()
      .optional()
      .meta({ description: 'Layers with a KV cache that grows with the context; all when left out.' }),
    windowLayers: z.number().int().nonnegative().optional().meta({
      description: 'Layers whose KV cache ends at the window.',
    }),
    window: z.number().int().positive().optional().meta({ description: 'Tokens of that window.' }),
    latent: z.number().int().positive().optional().meta({
      description: 'MLA: values a token and layer that are kept in place of keys and values.',
    }),
    stateBytes: z.number().int().positive().optional().meta({
      description: 'Linear attention: what a request keeps, however long it is.',
    }),
    maxContext: z.number().int().positive(),
    dtype: z.string().default('bfloat16'),
    quantisation: z.string().optional(),
  })
  .meta({ id: 'ModelShape' });
export type ModelShape = z.infer<typeof ModelShape>;

/** One entry of config/models.yaml. */
export const LocalModel = z
  .strictObject({
    name: LocalModelName,
    engine: ManagedEngineKind.default('vllm'),
    path: z.string().min(1).meta({ description: 'Directory of the weights, under model-weights/.' }),
    source: z
      .strictObject({ repository: z.string().min(1), revision: z.string().min(1).default('main') })
      .optional()
      .meta({ description: 'Where `model fetch` finds the weights, on a machine with a network.' }),
    shape: ModelShape.optional().meta({ description: 'For planning before the weights are here.' }),
    dtype: z.string().optional(),
    quantisation: z.string().optional(),
    tensorParallel: z.number().int().min(1).max(64).default(1),
    replicas: z
      .strictObject({
        min: z.number().int().min(1).max(64).default(1),
        max: z.number().int().min(1).max(64).default(1),
      })
      .prefault({})
      .meta({ description: 'More than one: the load decides between them.' }),
    gpuMemoryUtilization: z.number().gt(0).max(0.98).default(0.9).meta({
      description: 'Share of each GPU that the engine may take when it has the GPU for itself.',
    }),
    shared: z
      .boolean()
      .default(false)
      .meta({ description: 'May share a GPU with other models: it takes what it needs.' }),
    context: z.number().int().min(128).default(32_768),
    sequences: z.number().int().min(1).max(4096).default(8).meta({ description: 'Requests at a time.' }),
    kvDtype: z.enum(['auto', 'fp8']).default('auto'),
    toolCallParser: z.string().optional(),
    reasoningParser: z.string().optional(),
    task: z.enum(['generate', 'embed']).default('generate'),
    flags: z.array(z.string()).default([]).meta({ description: 'More arguments for the engine.' }),
    environment: z.record(z.string(), z.string()).default({}),
    roles: z.array(z.enum(MODEL_ROLES)).default([]),
    load: z.enum(['pinned', 'preloaded', 'on-demand']).default('on-demand'),
    sleepLevel: z
      .union([z.literal(0), z.literal(1), z.literal(2)])
      .default(1)
      .meta({
        description: 'When idle: 1 keeps the weights in memory, 2 drops them, 0 unloads.',
      }),
    idleSeconds: z
      .number()
      .positive()
      .default(900)
      .meta({ description: 'Asleep after so long without a request.' }),
    fallback: z
      .array(z.string())
      .default([])
      .meta({ description: 'Models that answer while this one cannot.' }),
  })
  .meta({ id: 'LocalModel' });
export type LocalModel = z.infer<typeof LocalModel>;

export const MODEL_STATES = ['unloaded', 'loading', 'ready', 'asleep', 'stopping', 'failed'] as const;
export const ModelState = z.enum(MODEL_STATES).meta({ id: 'ModelState' });
export type ModelState = z.infer<typeof ModelState>;

export const Gpu = z
  .object({
    index: z.number().int(),
    name: z.string(),
    uuid: z.string().nullable(),
    totalMib: Mib,
    usedMib: Mib.nullable(),
    foreignMib: Mib.nullable().meta({
      description: 'Taken by processes that are not engines of the appliance.',
    }),
    utilisation: z.number().nullable().meta({ description: 'Percent.' }),
    temperature: z.number().nullable().meta({ description: 'Degrees Celsius.' }),
    watts: z.number().nullable(),
    eccErrors: z.number().int().nullable().meta({ description: 'Uncorrected, since the driver was loaded.' }),
    xid: z.number().int().nullable().meta({ description: 'Last Xid error since the daemon began, if any.' }),
    state: z.enum(['ok', 'warning', 'lost']),
    detail: z.string(),
  })
  .meta({ id: 'Gpu' });
export type Gpu = z.infer<typeof Gpu>;

export const GpuList = z
  .object({
    gpus: z.array(Gpu),
    problem: z
      .string()
      .nullable()
      .meta({ description: 'Why none are known, or nobody looks at them; with what to do.' }),
  })
  .meta({ id: 'GpuList' });
export type GpuList = z.infer<typeof GpuList>;

/** Memory that a model needs on each of its GPUs, in MiB. */
export const Footprint = z
  .object({ weightsMib: Mib, kvMib: Mib, runtimeMib: Mib, totalMib: Mib, tokens: z.number().int() })
  .meta({
    id: 'Footprint',
    description: 'On each of its GPUs; tokens: that fit into the KV cache, of all requests together.',
  });
export type Footprint = z.infer<typeof Footprint>;

export const EngineFigures = z
  .object({
    running: z.number().int(),
    waiting: z.number().int(),
    tokensPerSecond: z.number().nullable().meta({ description: 'Generated, since the last look.' }),
    firstTokenMs: z.number().nullable().meta({ description: 'Mean since the last look.' }),
    kvUsage: z.number().nullable().meta({ description: '0 to 1.' }),
    prefixHits: z
      .number()
      .nullable()
      .meta({ description: '0 to 1, of the tokens looked up since the last look.' }),
    generatedTokens: z.number().int().meta({ description: 'Since the engine began.' }),
    promptTokens: z.number().int().meta({ description: 'Since the engine began.' }),
  })
  .meta({ id: 'EngineFigures' });
export type EngineFigures = z.infer<typeof EngineFigures>;

export const LocalModelStatus = z
  .object({
    name: LocalModelName,
    engine: ManagedEngineKind,
    roles: z.array(z.string()),
    load: LocalModel.shape.load.unwrap(),
    weights: z.enum(['here', 'missing', 'broken']),
    state: ModelState,
    gpus: z.array(z.number().int()),
    endpoint: z.string().nullable(),
    pid: z.number().int().nullable(),
    since: Timestamp.nullable().meta({ description: 'Of the state.' }),
    usedAt: Timestamp.nullable(),
    inFlight: z.number().int(),
    waiting: z.number().int(),
    predictedMib: Mib.nullable().meta({ description: 'On each GPU.' }),
    reportedMib: Mib.nullable().meta({ description: 'The same as the engine says.' }),
    measuredMib: Mib.nullable().meta({ description: 'The same by nvidia-smi.' }),
    figures: EngineFigures.nullable(),
    problem: z.string().nullable(),
    remedy: z.string().nullable(),
  })
  .meta({ id: 'LocalModelStatus' });
export type LocalModelStatus = z.infer<typeof LocalModelStatus>;

export const MODEL_ACTIONS = ['load', 'unload', 'sleep', 'wake'] as const;
export const ModelAction = z.enum(MODEL_ACTIONS).meta({ id: 'ModelAction' });
export type ModelAction = z.infer<typeof ModelAction>;

/** What somebody asked of a model, followed until it is done. */
export const ModelCommand = z
  .object({
    id: z.number().int(),
    model: z.string(),
    action: ModelAction,
    actor: z.string(),
    at: Timestamp,
    state: z.enum(['waiting', 'done', 'failed']),
    detail: z.string().meta({ description: 'How far it is, or why it failed.' }),
    remedy: z.string().nullable(),
  })
  .meta({ id: 'ModelCommand' });
export type ModelCommand = z.infer<typeof ModelCommand>;

export const EngineLog = z
  .object({
    text: z.string(),
    end: z.number().int().meta({ description: 'The byte to go on from.' }),
  })
  .meta({ id: 'EngineLog' });
export type EngineLog = z.infer<typeof EngineLog>;

export const ModelDecision = z
  .object({
    id: z.number().int(),
    at: Timestamp,
    model: z.string(),
    action: z.enum(['load', 'unload', 'sleep', 'wake', 'refuse', 'restart', 'adopt', 'degrade', 'scale']),
    reason: z.string(),
    gpus: z.array(z.number().int()),
    outcome: z.string().nullable().meta({ description: 'Null while it is under way.' }),
  })
  .meta({ id: 'ModelDecision' });
export type ModelDecision = z.infer<typeof ModelDecision>;

/** What `model plan` is asked. */
export const PlanRequest = z
  .strictObject({
    models: z.array(text().min(1).max(200)).min(1).max(20),
    context: z.number().int().min(128).max(10_000_000).optional(),
    sequences: z.number().int().min(1).max(4096).optional(),
    dtype: z.string().max(40).optional().meta({ description: 'As bfloat16: what if it were not quantised?' }),
    tensorParallel: z.number().int().min(1).max(64).optional(),
    gpus: z
      .array(
        z.strictObject({
          name: z.string().max(100).default('GPU'),
          totalMib: z.number().int().min(1024).max(1_000_000),
        }),
      )
      .max(16)
      .optional()
      .meta({ description: 'Plan for these in place of what is here.' }),
  })
  .meta({ id: 'PlanRequest' });
export type PlanRequest = z.infer<typeof PlanRequest>;

export const PlannedModel = z
  .object({
    model: z.string(),
    fits: z.boolean(),
    why: z.string().meta({ description: 'In words, with the figures.' }),
    would: z.array(z.string()).meta({ description: 'What would make it fit.' }),
    gpus: z.array(z.number().int()),
    need: Footprint.nullable().meta({ description: 'At the asked context and sequences.' }),
    freeMib: Mib.nullable().meta({ description: 'What is left on the fullest of its GPUs.' }),
    beside: z.array(z.string()).meta({ description: 'Models of the catalogue that fit beside it.' }),
    source: z.enum(['weights', 'catalogue']),
    calibration: z.number().nullable().meta({ description: 'Measured ÷ predicted of earlier loads.' }),
  })
  .meta({ id: 'PlannedModel' });
export type PlannedModel = z.infer<typeof PlannedModel>;

export const ModelPlan = z
  .object({
    gpus: z.array(z.object({ index: z.number().int(), name: z.string(), totalMib: Mib })),
    together: z.boolean().meta({ description: 'Whether all that were asked for fit at the same time.' }),
    models: z.array(PlannedModel),
    placements: z.number().int().meta({ description: 'Placements that were looked at.' }),
  })
  .meta({ id: 'ModelPlan' });
export type ModelPlan = z.infer<typeof ModelPlan>;

export const CHECKS = ['tool-call', 'arguments', 'context', 'stops', 'usage', 'no-loop'] as const;

export const ModelTest = z
  .object({
    id: z.number().int(),
    model: z.string().meta({ description: '`engine/model`' }),
    agent: z.string().meta({ description: 'The agent whose protocol was used.' }),
    at: Timestamp,
    state: z.enum(['running', 'done', 'failed']).meta({
      description: 'failed: it could not be made, which says nothing of the model.',
    }),
    passed: z.boolean(),
    checks: z
      .array(z.object({ name: z.enum(CHECKS), passed: z.boolean(), detail: z.string() }))
      .meta({ description: 'Those that are over.' }),
    problem: z.string().nullable().meta({ description: 'Why it could not be made.' }),
    remedy: z.string().nullable(),
  })
  .meta({ id: 'ModelTest', description: 'Whether a model does what an agent needs of it.' });
export type ModelTest = z.infer<typeof ModelTest>;

export const StartModelTest = z
  .strictObject({
    model: text().min(1).max(200),
    agent: text()
      .min(1)
      .max(100)
      .optional()
      .meta({ description: "The configuration's agent when left out." }),
  })
  .meta({ id: 'StartModelTest' });
export type StartModelTest = z.infer<typeof StartModelTest>;

export const ModelRole = z
  .object({
    role: z.enum(MODEL_ROLES),
    models: z.array(z.string()).meta({ description: 'Tried in this order.' }),
    source: z.enum(['set', 'configuration', 'catalogue']),
  })
  .meta({ id: 'ModelRole' });
export type ModelRole = z.infer<typeof ModelRole>;

export const SetModelRole = z
  .strictObject({
    models: z.array(text().min(1).max(200)).min(1).max(20),
    force: z
      .boolean()
      .default(false)
      .meta({ description: 'Also models that failed their test, or had none.' }),
  })
  .meta({ id: 'SetModelRole' });
export type SetModelRole = z.infer<typeof SetModelRole>;
