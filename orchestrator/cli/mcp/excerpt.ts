// Text cut to what a model can be given. Pure; used by the tools that answer with texts of any length.
import { stripVTControlCharacters } from 'node:util';

interface Excerpt {
  text: string;
  /** Length of the whole. */
  characters: number;
  cut: boolean;
}

/** The beginning of a text, up to a whole line where it has lines. */
export function beginning(whole: string, most: number): Excerpt {
  if (whole.length <= most) return { text: whole, characters: whole.length, cut: false };
  const line = whole.lastIndexOf('\n', most - 1) + 1;
  return { text: whole.slice(0, line > 0 ? line : most).toWellFormed(), characters: whole.length, cut: true };
}

/** The last lines of a text, no more than so many characters. */
export function ending(lines: string[], mostLines: number, mostCharacters: number): Excerpt {
  const whole = lines.join('\n');
  const last = lines.slice(-mostLines).join('\n');
  const line = last.indexOf('\n', Math.max(0, last.length - mostCharacters - 1)) + 1;
  const begin = last.length <= mostCharacters ? 0 : line > 0 ? line : last.length - mostCharacters;
  const text = last.slice(begin).toWellFormed();
  return { text, characters: whole.length, cut: text.length < whole.length };
}

/** Text without the colours that a terminal would show. */
export function plain(text: string): string {
  return stripVTControlCharacters(text);
}
