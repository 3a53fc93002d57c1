// What a plot draws of its series, and what it says of a moment. Pure; plot.tsx draws and tells it.

/** Values at the times of the plot; null where there is none. */
export interface Series {
  name: string;
  values: readonly (number | null)[];
}

export type Look = 'lines' | 'stacked';
/** Whose days and hours are told. */
export type Zone = 'local' | 'UTC';

/** A series as it is drawn; `index` is its place among all, which gives its colour. */
export interface Layer extends Series {
  index: number;
}

const DAY = 86_400;

/** What is drawn, in the order of drawing: stacked ones are sums with all that are below, the highest first. */
export function layersOf(series: readonly Series[], hidden: ReadonlySet<string>, look: Look): Layer[] {
  const shown = series
    .map(({ name, values }, index): Layer => ({ name, values, index }))
    .filter(({ name }) => !hidden.has(name));
  if (look === 'lines') return shown;
  const layers: Layer[] = [];
  for (const layer of shown) {
    const below = layers.at(-1)?.values;
    layers.push({ ...layer, values: layer.values.map((value, at) => (value ?? 0) + (below?.[at] ?? 0)) });
  }
  return layers.reverse();
}

/** The shortest distance of two moments, in seconds; a day where there is one moment alone. */
export function stepOf(times: readonly number[]): number {
  const steps = times.slice(1).map((time, index) => time - times[index]!);
  return steps.length === 0 ? DAY : Math.min(...steps);
}

/** A moment in words that are as long as the step between two needs. */
export function momentOf(seconds: number, step: number, zone: Zone): string {
  const at = new Date(seconds * 1000);
  const timeZone = zone === 'UTC' ? { timeZone: 'UTC' } : {};
  const day = at.toLocaleDateString('en-GB', {
    ...timeZone,
    day: 'numeric',
    month: 'short',
    year: 'numeric',
  });
  return step >= DAY ? day : `${day} ${clockOf(at, zone)}`;
}

/** The words below the axis: the time of day, or the day where two are a day apart, or a day begins. */
export function tickOf(seconds: number, apart: number, zone: Zone): string {
  const at = new Date(seconds * 1000);
  const time = clockOf(at, zone);
  if (apart < DAY && time !== '00:00') return time;
  return at.toLocaleDateString('en-GB', {
    ...(zone === 'UTC' ? { timeZone: 'UTC' } : {}),
    day: 'numeric',
    month: 'short',
  });
}

function clockOf(at: Date, zone: Zone): string {
  return at.toLocaleTimeString('en-GB', {
    ...(zone === 'UTC' ? { timeZone: 'UTC' } : {}),
    hour: '2-digit',
    minute: '2-digit',
  });
}

/** Where a key takes the cursor; undefined for a key that does not move it. */
export function movedBy(key: string, at: number | undefined, count: number): number | undefined {
  const last = count - 1;
  if (key === 'ArrowRight' || key === 'ArrowUp') return Math.min(last, at === undefined ? 0 : at + 1);
  if (key === 'ArrowLeft' || key === 'ArrowDown') return Math.max(0, at === undefined ? last : at - 1);
  if (key === 'Home') return 0;
  return key === 'End' ? last : undefined;
}

/** Times and values as rows, for those who read instead of look. */
export function rowsOf(times: readonly number[], series: readonly Series[]) {
  return times.map((time, at) => ({ time, at, values: series.map(({ values }) => values[at] ?? null) }));
}
