// The GPUs of the machine: models can be served here only where there are some. Used by doctor.ts.
import type { LoadedConfig } from '../../config/load.ts';
import type { Check, Finding } from './doctor.ts';

const LEAST_MIB = 4096;

export const checkGpus: Check = {
  name: 'GPUs',
  run: async ({ config: { models } }) =>
    models.local === undefined ? await anyGpus() : await ownGpus(models.local),
};

async function anyGpus(): Promise<Finding> {
  const { askGraphics } = await import('../../models/gpu/graphics.ts');
  // Display adapters of boards and virtual machines have no memory to speak of.
  const fit = (await askGraphics()).filter(({ totalMib }) => (totalMib ?? 0) >= LEAST_MIB);
  return { state: 'ok', detail: fit.length === 0 ? 'none; models must be served elsewhere' : named(fit) };
}

/** Those that models are to run on: as they are declared, or as the driver tells of them. */
async function ownGpus({
  gpus,
  nvidiaSmi: program,
}: NonNullable<LoadedConfig['config']['models']['local']>): Promise<Finding> {
  if (gpus !== undefined) return { state: 'ok', detail: `${named(gpus)}, as models.local.gpus declares` };
  const { nvidiaSmi } = await import('../../models/gpu/nvidia-smi.ts');
  const { cards, failure } = await nvidiaSmi(program)([], AbortSignal.timeout(10_000));
  if (failure === null && cards.length > 0) return { state: 'ok', detail: named(cards) };
  return {
    state: 'warn',
    detail: failure?.detail ?? 'none; models.local is set',
    remedy:
      failure?.remedy ?? 'Declare them in models.local.gpus, or take models.local out of the configuration.',
  };
}

function named(cards: { name: string; totalMib: number | null }[]): string {
  return cards.map(({ name, totalMib }) => `${name} ${Math.round((totalMib ?? 0) / 1024)} GB`).join(', ');
}
