// The text format of Prometheus, version 0.0.4. Used by the metrics route.

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export interface Metric {
  /** With its unit as the end: `_bytes`, `_seconds`, `_ratio`; counters end with `_total`. */
  name: string;
  type: 'gauge' | 'counter';
  help: string;
  /** Those without a value are left out. */
  samples: Sample[];
}
export type Sample = [labels: Record<string, string | number>, value: number | null | undefined];

/** Writes metrics; one without samples is left out. */
export function exposition(metrics: readonly Metric[]): string {
  return metrics.map(written).join('');
}

function written({ name, type, help, samples }: Metric): string {
  const lines = samples.flatMap(([labels, value]) =>
    value === null || value === undefined ? [] : [`${name}${labelled(labels)} ${number(value)}\n`],
  );
  if (lines.length === 0) return '';
  return `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function labelled(labels: Record<string, string | number>): string {
  const pairs = Object.entries(labels).map(
    ([label, value]) => `${label}="${escaped(String(value)).replaceAll('"', '\\"')}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function number(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value);
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
