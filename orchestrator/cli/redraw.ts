// `--watch` of lists: draws again every 2 s. Used by the list verbs.
import { setTimeout as delay } from 'node:timers/promises';
import { printJson, printJsonLine } from './output.ts';

const EVERY_MS = 2_000;
const HOME_AND_CLEAR = '\u001b[H\u001b[J';

/** Shows data once, or again and again: in place on a terminal, else whenever it has changed. */
export async function show<T>(
  args: { json: boolean; watch?: boolean },
  read: () => Promise<T>,
  draw: (data: T) => string,
): Promise<void> {
  if (args.watch !== true) {
    const data = await read();
    if (args.json) printJson(data);
    else process.stdout.write(`${draw(data)}\n`);
    return;
  }
  const live = process.stdout.isTTY && !args.json;
  let last = '';
  for (;;) {
    const data = await read();
    const text = args.json ? JSON.stringify(data) : draw(data);
    if (args.json && text !== last) printJsonLine(data);
    else if (live) process.stdout.write(`${HOME_AND_CLEAR}${fitting(text)}\n`);
    else if (text !== last) process.stdout.write(`${text}\n\n`);
    last = text;
    await delay(EVERY_MS);
  }
}

/** The lines that fit the terminal, with a word on those that do not. */
function fitting(text: string): string {
  const room = (process.stdout.rows ?? 24) - 1;
  const lines = text.split('\n');
  return lines.length <= room
    ? text
    : [...lines.slice(0, room - 1), `… ${lines.length - room + 1} more lines`].join('\n');
}
