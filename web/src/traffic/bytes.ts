// Sizes of what went over the wire.
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** In the unit that leaves few figures; a dash where it is not known. */
export function bytes(size: number | null): string {
  if (size === null) return '–';
  const step = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(size, 1)) / 3));
  const value = size / 1000 ** step;
  return `${step === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[step]}`;
}
