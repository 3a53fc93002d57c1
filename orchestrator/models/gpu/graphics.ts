// The second source: systeminformation, for drivers that refuse the question of nvidia-smi.ts. It tells less. Used by watch.ts.
import { join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import type { DriverCard } from './nvidia-smi.ts';
import { pciAddress } from './pci.ts';

const LIMIT_MS = 15_000;
const PROGRAM = join(import.meta.dirname, 'graphics-cli.ts');

const Amount = z.number().optional().catch(undefined);
const Controllers = z.array(
  z.object({
    vendor: z.string().catch(''),
    model: z.string().catch(''),
    name: z.string().optional().catch(undefined),
    pciBus: z.string().optional().catch(undefined),
    memoryTotal: Amount,
    memoryUsed: Amount,
    memoryFree: Amount,
    utilizationGpu: Amount,
    temperatureGpu: Amount,
    powerDraw: Amount,
  }),
);

/** Asks the library for the NVIDIA cards; none when it knows no more than nvidia-smi. `path`: where programs are looked for. */
export async function askGraphics(signal?: AbortSignal, path?: string): Promise<DriverCard[]> {
  const { stdout, failed } = await execa(process.execPath, [PROGRAM], {
    reject: false,
    stdin: 'ignore',
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
    killDescendants: true,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
    ...(path === undefined ? {} : { env: { PATH: path } }),
  });
  return failed ? [] : readControllers(JSON.parse(stdout));
}

/** Its controllers as cards. Memory is in MiB. A value that is 0 is left out by the library: it then follows from the others, or is unknown. */
export function readControllers(controllers: unknown): DriverCard[] {
  const ours = Controllers.parse(controllers).filter(
    ({ pciBus, memoryTotal }) => pciBus !== undefined && memoryTotal,
  );
  return ours
    .map((each) => ({ ...each, bus: pciAddress(each.pciBus!) }))
    .toSorted((a, b) => (a.bus < b.bus ? -1 : 1)) // as nvidia-smi counts them
    .map((each, index) => ({
      index,
      uuid: null,
      name: each.name ?? each.model,
      bus: each.bus,
      totalMib: each.memoryTotal ?? null,
      usedMib: each.memoryUsed ?? (each.memoryFree === each.memoryTotal ? 0 : null),
      utilisation: each.utilizationGpu ?? null,
      temperature: each.temperatureGpu ?? null,
      watts: each.powerDraw ?? null,
      eccErrors: null,
      broken: null,
    }));
}
