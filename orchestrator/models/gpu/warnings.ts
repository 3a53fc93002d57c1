// What of a card is worth a warning though it is used. Pure; used by judge.ts.
import type { Gpu } from '../../../protocol/local-model.ts';
import type { Judged, Reading } from './judge.ts';
import type { DriverCard } from './nvidia-smi.ts';
import { strangers } from './owners.ts';

const FULL = 0.95;
const GROWING = 2;
const HOT = 88;
const COOL = 84;
const HOT_READINGS = 3;
/** Less than this is what drivers and displays take, and no stranger. */
const STRANGE_MIB = 512;

export type Warning = [kind: 'full' | 'hot' | 'ecc' | 'stranger', text: string];

/** The warnings of now, and the readings in a row that lead to some. One that has been given stays until its cause is clearly gone. */
export function warningsOf(
  known: Judged | undefined,
  gpu: Gpu,
  card: DriverCard,
  reading: Reading,
): { warnings: Warning[]; hot: number; growing: number } {
  const given = (kind: Warning[0]) => known?.warnings.includes(kind) === true;
  const used = gpu.usedMib ?? 0;
  const full = used >= FULL * gpu.totalMib;
  // Memory that an engine has filled when it was loaded rests as it is.
  const growing = full && used > (known?.gpu.usedMib ?? used) ? (known?.growing ?? 0) + 1 : 0;
  const heat = gpu.temperature ?? 0;
  const hot = heat >= HOT ? (known?.hot ?? 0) + 1 : 0;
  const strange = gpu.foreignMib ?? 0;

  const warnings: Warning[] = [];
  if (growing >= GROWING || (full && given('full')))
    warnings.push(['full', `${used} of ${gpu.totalMib} MiB are taken, and it was growing`]);
  if (hot >= HOT_READINGS || (heat > COOL && given('hot')))
    warnings.push(['hot', `${heat} °C: look at its fans and the air around it`]);
  if ((gpu.eccErrors ?? 0) > 0)
    warnings.push([
      'ecc',
      `${gpu.eccErrors} memory errors that could not be corrected since the driver was loaded`,
    ]);
  if (strange >= STRANGE_MIB)
    warnings.push(['stranger', `${strange} MiB are taken by ${strangers(card, reading)}`]);
  return { warnings, hot, growing };
}
