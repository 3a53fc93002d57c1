// The GPUs of the machine: models can be served here only where there are some. Used by doctor.ts.
import type { Check } from './doctor.ts';

const LEAST_MB = 4096;

export const checkGpus: Check = {
  name: 'GPUs',
  run: async () => {
    const { default: machine } = await import('systeminformation');
    const { controllers } = await machine.graphics();
    // Display adapters of boards and virtual machines have no memory to speak of.
    const fit = controllers.filter(({ memoryTotal, vram }) => (memoryTotal ?? vram ?? 0) >= LEAST_MB);
    if (fit.length === 0) return { state: 'ok', detail: 'none; models must be served elsewhere' };
    const names = fit.map(
      ({ model, memoryTotal, vram }) => `${model} ${Math.round((memoryTotal ?? vram ?? 0) / 1024)} GB`,
    );
    return { state: 'ok', detail: names.join(', ') };
  },
};
