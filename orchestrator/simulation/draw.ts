// What chance decides in a simulation: by the seed and by what it is drawn for, so that another setting changes nothing of it.
// Pure. Used by workers.ts.
import { createHash } from 'node:crypto';
import type { Scenario } from '../../protocol/scenario.ts';
import { seconds } from './duration.ts';

/** A number in [0, 1) that belongs to the seed and the names. */
export function uniform(seed: number, ...names: (string | number)[]): number {
  const digest = createHash('sha256')
    .update([seed, ...names].join('\0'))
    .digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}

type Attempt = Scenario['work'][number]['attempts'][number];
const P90 = 1.2816; // of the normal distribution, in standard deviations

/** Seconds of an attempt. */
export function takes(attempt: Attempt, seed: number, ...names: (string | number)[]): number {
  if (typeof attempt.takes === 'string') return seconds(attempt.takes);
  const median = seconds(attempt.takes.median);
  const sigma = Math.log(Math.max(seconds(attempt.takes.p90) / median, 1)) / P90;
  const [one, other] = [uniform(seed, ...names, 'length'), uniform(seed, ...names, 'angle')];
  const normal = Math.sqrt(-2 * Math.log(1 - one)) * Math.cos(2 * Math.PI * other);
  return median * Math.exp(sigma * normal);
}

/** How an attempt ends. */
export function ends(attempt: Attempt, seed: number, ...names: (string | number)[]): string {
  if (typeof attempt.ends === 'string') return attempt.ends;
  const weights = Object.entries(attempt.ends);
  let left = uniform(seed, ...names, 'end') * weights.reduce((sum, [, weight]) => sum + weight, 0);
  return weights.find(([, weight]) => (left -= weight) < 0)?.[0] ?? weights[0]![0];
}
