// Durations as text: days, hours, minutes and seconds.

const UNITS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 };

/** Milliseconds of a duration such as `90s`. */
export function parseDuration(text) {
  const match = /^(\d+)([dhms])$/.exec(text.trim());
  if (match === null) throw new Error(`not a duration: "${text}"`);
  return Number(match[1]) * UNITS[match[2]];
}

/** The shortest text for whole seconds, largest unit first, as in `1h 30m`. */
export function formatDuration(milliseconds) {
  const parts = [];
  let rest = milliseconds;
  for (const [unit, size] of Object.entries(UNITS)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.join(' ') || '0s';
}
