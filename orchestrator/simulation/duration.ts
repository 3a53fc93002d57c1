// Durations as scenarios write them, `1h30m`, in seconds; and back. Pure.

const SECONDS = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };
type Unit = keyof typeof SECONDS;

/** Seconds of a duration, which may have a minus before it. */
export function seconds(duration: string): number {
  let sum = 0;
  for (const [, count, unit] of duration.matchAll(/([\d.]+)(ms|s|m|h|d)/g))
    sum += Number(count) * SECONDS[unit as Unit];
  return duration.startsWith('-') ? -sum : sum;
}

/** Seconds as a duration; parts of a second are in milliseconds. */
export function written(sum: number): string {
  if (sum < 0) return `-${written(-sum)}`;
  let left = Math.round(sum * 1000);
  const parts = (['d', 'h', 'm', 's', 'ms'] as const).map((unit) => {
    const size = SECONDS[unit] * 1000;
    const count = Math.floor(left / size);
    left -= count * size;
    return count === 0 ? '' : `${count}${unit}`;
  });
  return parts.join('') || '0s';
}
