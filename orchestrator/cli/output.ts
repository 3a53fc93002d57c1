// What verbs print on stdout: tables that fit the terminal, label-value blocks, JSON. Used by every verb.
import { styleText } from 'node:util';
import { oneLine } from './format.ts';
import { displayWidth, truncate } from './width.ts';

export type Style = Parameters<typeof styleText>[0];

export interface Column<T> {
  title: string;
  value: (row: T) => string;
  style?: (row: T) => Style | undefined;
  align?: 'right';
  /** Left out where the terminal is too narrow for all, the last one first. */
  spare?: true;
}

/** Colours text if stdout is a terminal that wants colours (NO_COLOR and friends are minded by Node). */
export function paint(style: Style | undefined, text: string): string {
  return style === undefined ? text : styleText(style, text, { stream: process.stdout });
}

/** Prints lines. */
export function print(...lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Prints a document, as `--json` asks. */
export function printJson(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}

/** Prints one JSON line, for what goes on and on. */
export function printJsonLine(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document)}\n`);
}

/** Width to fit in; undefined when piped, where nothing is cut. */
export function terminalWidth(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns || 80 : undefined;
}

/** Of the last column so much is seen before one that is spare is shown. */
const LAST_SEEN = 20;

/** A table as text: two spaces between columns; spare ones are left out and the widest is cut until it fits `width`. */
export function table<T>(rows: T[], all: Column<T>[], width = terminalWidth()): string {
  const columns = width === undefined ? all : fitting(rows, all, width);
  const cells = rows.map((row) => columns.map((column) => oneLine(column.value(row))));
  const widths = columns.map((column, at) =>
    Math.max(displayWidth(column.title), ...cells.map((line) => displayWidth(line[at] ?? ''))),
  );
  if (width !== undefined) shrink(widths, width - 2 * (columns.length - 1));
  const line = (values: string[], style: (at: number) => Style | undefined) =>
    values
      .map((value, at) =>
        cell(value, widths[at] ?? 0, columns[at]?.align, style(at), at === columns.length - 1),
      )
      .join('  ');
  const head = line(
    columns.map((column) => column.title),
    () => 'dim',
  );
  return [
    head,
    ...rows.map((row, at) => line(cells[at] ?? [], (column) => columns[column]?.style?.(row))),
  ].join('\n');
}

function fitting<T>(rows: T[], all: Column<T>[], width: number): Column<T>[] {
  const spare = all.findLastIndex((column) => column.spare === true);
  const wanted = all.reduce((sum, { title, value }, at) => {
    const natural = Math.max(displayWidth(title), ...rows.map((row) => displayWidth(oneLine(value(row)))));
    return sum + 2 + (at === all.length - 1 ? Math.min(natural, LAST_SEEN) : natural);
  }, -2);
  return spare < 0 || wanted <= width ? all : fitting(rows, all.toSpliced(spare, 1), width);
}

/** A block of labels and values; those without a value are left out. */
export function block(pairs: [label: string, value: string | null | undefined][]): string {
  const shown = pairs.filter(
    (pair): pair is [string, string] => pair[1] !== null && pair[1] !== undefined && pair[1] !== '',
  );
  const width = Math.max(0, ...shown.map(([label]) => label.length));
  return shown
    .map(
      ([label, value]) =>
        `${paint('dim', label.padEnd(width))}  ${value.split('\n').join(`\n${' '.repeat(width + 2)}`)}`,
    )
    .join('\n');
}

function cell(
  value: string,
  width: number,
  align: 'right' | undefined,
  style: Style | undefined,
  last: boolean,
): string {
  const text = truncate(value, width);
  const space = ' '.repeat(Math.max(0, width - displayWidth(text)));
  if (align === 'right') return space + paint(style, text);
  return paint(style, text) + (last ? '' : space);
}

/** Takes from the widest column, a character at a time, until the sum fits; none gets narrower than 4. */
function shrink(widths: number[], room: number): void {
  let excess = widths.reduce((sum, width) => sum + width, 0) - room;
  while (excess > 0) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] ?? 0) <= 4) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess -= 1;
  }
}
