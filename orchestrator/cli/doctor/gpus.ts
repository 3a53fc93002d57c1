// The GPUs of the machine: models can be served here only where there are some. Used by doctor.ts.
import type { Check } from './doctor.ts';

const LEAST_MIB = 4096;

export const checkGpus: Check = {
  name: 'GPUs',
  run: async () => {
    const { askGraphics } = await import('../../models/gpu/graphics.ts');
    // Display adapters of boards and virtual machines have no memory to speak of.
    const fit = (await askGraphics()).filter(({ totalMib }) => (totalMib ?? 0) >= LEAST_MIB);
    if (fit.length === 0) return { state: 'ok', detail: 'none; models must be served elsewhere' };
    const names = fit.map(({ name, totalMib }) => `${name} ${Math.round((totalMib ?? 0) / 1024)} GB`);
    return { state: 'ok', detail: names.join(', ') };
  },
};
