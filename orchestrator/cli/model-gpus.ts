// `autocode model gpus`.
import { GpuList, type Gpu } from '../../protocol/local-model.ts';
import { connect } from './client.ts';
import type { GlobalArgs } from './command.ts';
import { bytes } from './format.ts';
import { paint, table } from './output.ts';
import { show } from './redraw.ts';
import { styleOf } from './states.ts';

const MIB = 1024 * 1024;
/** What a narrow terminal does without; DETAIL tells what is wrong of it. */
const spare = true;

/** Shows the GPUs as the daemon saw them last. */
export async function showGpus(args: GlobalArgs & { watch: boolean }): Promise<void> {
  const client = connect(args);
  await show(args, () => client.get('/gpus', GpuList), drawGpus);
}

function drawGpus({ gpus, problem }: GpuList): string {
  const rows = table(gpus, [
    { title: 'GPU', value: ({ index }) => String(index), align: 'right' },
    { title: 'NAME', value: ({ name }) => name },
    { title: 'STATE', value: ({ state }) => state, style: ({ state }) => styleOf(state) },
    { title: 'MEMORY', value: memory, align: 'right' },
    { title: 'STRANGERS', value: ({ foreignMib }) => size(foreignMib), align: 'right' },
    { title: 'USE', value: ({ utilisation }) => withUnit(utilisation, '%'), align: 'right' },
    { title: 'HEAT', value: ({ temperature }) => withUnit(temperature, '°C'), align: 'right', spare },
    { title: 'POWER', value: ({ watts }) => withUnit(watts, 'W'), align: 'right', spare },
    { title: 'ECC', value: ({ eccErrors }) => withUnit(eccErrors), align: 'right', spare },
    { title: 'XID', value: ({ xid }) => withUnit(xid), align: 'right', spare },
    { title: 'DETAIL', value: ({ detail }) => detail },
  ]);
  if (problem === null) return gpus.length === 0 ? 'No GPU is known yet.' : rows;
  return gpus.length === 0 ? problem : `${rows}\n\n${paint('yellow', problem)}`;
}

function memory({ usedMib, totalMib }: Gpu): string {
  return `${size(usedMib)} of ${size(totalMib)}`;
}

function size(mib: number | null): string {
  return mib === null ? '-' : bytes(mib * MIB);
}

function withUnit(value: number | null, unit = ''): string {
  return value === null ? '-' : `${Math.round(value)}${unit === '' ? '' : ` ${unit}`}`;
}
