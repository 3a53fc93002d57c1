// The configuration of models that the appliance runs itself. A part of schema.ts, under models.local.
import { z } from 'zod';

export const LocalModels = z
  .strictObject({
    catalogue: z
      .string()
      .min(1)
      .optional()
      .meta({ path: true, shownDefault: 'config/models.yaml of the installation' })
      .describe('File with the models, as config/models.yaml.'),
    weights: z
      .string()
      .min(1)
      .optional()
      .meta({ path: true, shownDefault: 'model-weights in the data directory' })
      .describe('Directory with the weights.'),
    vllm: z.string().min(1).default('vllm').describe('The program of vLLM: a name on PATH, or a path.'),
    nvidiaSmi: z.string().min(1).default('nvidia-smi').describe('The program that tells of GPUs.'),
    gpus: z
      .array(
        z.strictObject({
          name: z.string().min(1).default('GPU').describe('As shown.'),
          totalMib: z.int().min(1024).max(1_000_000).describe('Its memory in MiB.'),
        }),
      )
      .max(64)
      .optional()
      .describe('The GPUs, where nvidia-smi is not to be asked.'),
    ray: z
      .strictObject({
        address: z
          .url({ protocol: /^https?$/, error: 'use an http or https address' })
          .default('http://127.0.0.1:8265')
          .describe('The dashboard of the Ray cluster, which takes applications.'),
        serveUrl: z
          .url({ protocol: /^https?$/, error: 'use an http or https address' })
          .default('http://127.0.0.1:8000')
          .describe('Where its applications answer.'),
      })
      .prefault({}),
    ollama: z
      .strictObject({
        url: z
          .url({ protocol: /^https?$/, error: 'use an http or https address' })
          .default('http://127.0.0.1:11434')
          .describe('Address of the Ollama server.'),
      })
      .prefault({}),
    gpu: z
      .strictObject({
        pricePerHour: z
          .number()
          .nonnegative()
          .optional()
          .describe('Of one GPU, in the ledger currency; tokens cost the ceiling price when left out.'),
        watts: z.number().nonnegative().default(230).describe('What one GPU takes at work.'),
        pricePerKwh: z.number().nonnegative().default(0).describe('Of energy, in the ledger currency.'),
        since: z.iso.date().optional().describe('First day that they are paid for.'),
      })
      .prefault({}),
    loadSeconds: z
      .number()
      .positive()
      .max(7200)
      .default(600)
      .describe('A model that is not ready by then has failed.'),
    waitSeconds: z
      .number()
      .positive()
      .max(3600)
      .default(300)
      .describe('How long a request waits for its model to be loaded.'),
    residencySeconds: z
      .number()
      .min(0)
      .max(86_400)
      .default(60)
      .describe(
        'A model stays for at least so long once it is loaded, unless it is idle and another is waited for.',
      ),
    stuckSeconds: z
      .number()
      .positive()
      .max(3600)
      .default(60)
      .describe('An engine with requests that brings no token for so long is started anew.'),
  })
  .optional()
  .describe('Models on GPUs of this machine (docs/models.md); none are run when left out.');
export type LocalModels = NonNullable<z.infer<typeof LocalModels>>;
