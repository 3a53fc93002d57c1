// A line of a terminal as spans with the page's own colours. Only colours and weights are taken from escapes; what would set a title,
// make a link or move the cursor does nothing. A line begins plain: the window shows lines without those before them.
import { visible } from './visible.ts';

export interface Span {
  text: string;
  className: string;
}

interface Look {
  ink: string;
  ground: string;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
  struck: boolean;
  inverse: boolean;
}

const PLAIN: Look = {
  ink: '',
  ground: '',
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  struck: false,
  inverse: false,
};

// Black to white; the bright ones are the same here, since both must be read on light and on dark.
const INKS = [
  'text-muted',
  'text-bad',
  'text-good',
  'text-warn',
  'text-info',
  'text-review',
  'text-accent',
  '',
];
const GROUNDS = [
  'bg-sunken',
  'bg-bad/10',
  'bg-good/10',
  'bg-warn/10',
  'bg-info/10',
  'bg-review/10',
  'bg-accent/10',
  'bg-sunken',
];

// CSI with its parameters and final byte; OSC, DCS, SOS, PM and APC to their end; other escapes of two characters.
const ESCAPE =
  // eslint-disable-next-line no-control-regex
  /\u001b\[([0-?]*)[ -/]*([@-~])|\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[ -/]*[0-Z\\^-~]/g;

/** The spans of one line. */
export function spansOf(line: string): Span[] {
  const shown = overwritten(line);
  const spans: Span[] = [];
  let look = PLAIN;
  let at = 0;
  const add = (text: string) => {
    if (text !== '') spans.push({ text: visible(text), className: classOf(look) });
  };
  for (const escape of shown.matchAll(ESCAPE)) {
    add(shown.slice(at, escape.index));
    at = escape.index + escape[0].length;
    if (escape[2] === 'm' && /^[\d;:]*$/.test(escape[1]!)) look = changed(look, escape[1]!);
  }
  add(shown.slice(at));
  return spans;
}

/** A terminal that is sent back to the beginning of its line writes over it: what was written last is what is seen. */
function overwritten(line: string): string {
  if (!line.includes('\r')) return line;
  return line.split('\r').findLast((part) => part !== '') ?? '';
}

function changed(before: Look, parameters: string): Look {
  const codes = parameters.split(/[;:]/).map(Number);
  let look = before;
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at]!;
    if (code === 38 || code === 48) {
      const { color, taken } = extended(codes.slice(at + 1));
      look = code === 38 ? { ...look, ink: INKS[color]! } : { ...look, ground: GROUNDS[color]! };
      at += taken;
    } else look = simple(look, code);
  }
  return look;
}

function simple(look: Look, code: number): Look {
  if (code === 0) return PLAIN;
  if (code === 1) return { ...look, bold: true };
  if (code === 2) return { ...look, dim: true };
  if (code === 3) return { ...look, italic: true };
  if (code === 4) return { ...look, underline: true };
  if (code === 7) return { ...look, inverse: true };
  if (code === 9) return { ...look, struck: true };
  if (code === 22) return { ...look, bold: false, dim: false };
  if (code === 23) return { ...look, italic: false };
  if (code === 24) return { ...look, underline: false };
  if (code === 27) return { ...look, inverse: false };
  if (code === 29) return { ...look, struck: false };
  if (code === 39) return { ...look, ink: '' };
  if (code === 49) return { ...look, ground: '' };
  const color = code % 10;
  if (color > 7) return look;
  if ((code >= 30 && code < 38) || (code >= 90 && code < 98)) return { ...look, ink: INKS[color]! };
  if ((code >= 40 && code < 48) || (code >= 100 && code < 108)) return { ...look, ground: GROUNDS[color]! };
  return look;
}

/** One of the eight for a colour of 256 (`5;n`) or of all (`2;r;g;b`); how many numbers say it. */
function extended([kind, ...rest]: number[]): { color: number; taken: number } {
  if (kind === 2) return { color: nearest(rest[0] ?? 0, rest[1] ?? 0, rest[2] ?? 0), taken: 4 };
  const index = rest[0] ?? 7;
  if (index < 16) return { color: index % 8, taken: 2 };
  if (index > 231) return { color: index < 244 ? 0 : 7, taken: 2 };
  const cube = index - 16;
  const [red, green, blue] = [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((n) => n * 51);
  return { color: nearest(red!, green!, blue!), taken: 2 };
}

/** Bit by bit, as the eight are numbered: 1 red, 2 green, 4 blue. */
function nearest(red: number, green: number, blue: number): number {
  const most = Math.max(red, green, blue);
  if (most - Math.min(red, green, blue) < 48) return most < 128 ? 0 : 7;
  const on = (value: number, bit: number) => (value > most * 0.6 ? bit : 0);
  return on(red, 1) | on(green, 2) | on(blue, 4);
}

function classOf(look: Look): string {
  const ink = look.dim && look.ink === '' ? 'text-muted' : look.ink;
  return [
    look.inverse ? 'bg-ink text-surface' : `${ink} ${look.ground}`,
    look.bold ? 'font-semibold' : '',
    look.italic ? 'italic' : '',
    look.underline ? 'underline' : '',
    look.struck ? 'line-through' : '',
  ]
    .join(' ')
    .trim();
}
