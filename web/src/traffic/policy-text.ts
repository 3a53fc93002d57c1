// The text of a policy as somebody edits it: lines that are added and taken out, and where its mistakes are.
import type { PolicyProblem } from '../../../protocol/egress.ts';

/** The text with the lines at its end that it does not have yet. */
export function withLines(text: string, lines: readonly string[]): string {
  const present = new Set(text.split('\n').map((line) => line.trim()));
  const missing = lines.filter((line) => !present.has(line.trim()));
  if (missing.length === 0) return text;
  const before = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  return `${before}${missing.join('\n')}\n`;
}

/** Names of the presets that it has. */
export function presetsIn(text: string): Set<string> {
  return new Set(text.split('\n').flatMap((line) => PRESET.exec(line)?.[1] ?? []));
}
const PRESET = /^\s*preset\s+(\S+)\s*(?:#.*)?$/;

/** The text with the preset, or without it. */
export function withPreset(text: string, name: string, wanted: boolean): string {
  if (wanted) return presetsIn(text).has(name) ? text : withLines(text, [`preset ${name}`]);
  return text
    .split('\n')
    .filter((line) => PRESET.exec(line)?.[1] !== name)
    .join('\n');
}

/** The mistakes that the API told; undefined for another error. */
export function problemsIn(details: unknown): PolicyProblem[] | undefined {
  const { problems } = (details ?? {}) as { problems?: unknown };
  return Array.isArray(problems) ? (problems as PolicyProblem[]) : undefined;
}

/** Where a line and column are in the text, both from 1. */
export function offsetOf(text: string, line: number, column: number): number {
  const before = text.split('\n').slice(0, line - 1);
  return Math.min(text.length, before.reduce((sum, each) => sum + each.length + 1, 0) + column - 1);
}
