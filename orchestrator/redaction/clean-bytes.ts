// Takes secrets out of bytes that come piece by piece, as logs do: what is masked keeps its length, so that offsets stay what they
// were. Used by the log store.
import type { Place } from './find-values.ts';
import type { Redactor } from './redactor.ts';

const MASK = 0x2a;
const NEWLINE = 0x0a;

/** What may be kept of some bytes: the first ones of them, masked. */
export interface CleanBytes {
  bytes: Buffer;
  /** How many are masked. */
  masked: number;
}

/**
 * The bytes that may be kept. `before`: those that came before them, as they were, as far back as `reach` of the redactor says. A
 * secret that is perhaps not at its end yet is left out: these bytes are to be given again with those that follow. With
 * `all`, nothing follows for now: such a beginning of one is masked.
 */
export function cleanBytes(redactor: Redactor, before: Buffer, bytes: Buffer, all: boolean): CleanBytes {
  const text = before.toString('latin1') + bytes.toString('latin1');
  const places = redactor.find(text);
  const open = redactor.openAt(text);
  if (all && open < text.length) places.push({ kind: 'beginning', start: open, end: text.length });
  const kept = all ? text.length : endBefore(open, places);
  const clean = Buffer.from(bytes.subarray(0, Math.max(0, kept - before.length)));
  let masked = 0;
  for (const { start, end } of places)
    for (
      let at = Math.max(0, start - before.length);
      at < Math.min(end - before.length, clean.length);
      at++
    ) {
      if (clean[at] === NEWLINE || clean[at] === MASK) continue;
      clean[at] = MASK;
      masked++;
    }
  return { bytes: clean, masked };
}

// Not within a secret either: its other part would not be known as one.
function endBefore(open: number, places: readonly Place[]): number {
  const cut = places.find(({ start, end }) => start < open && open < end);
  return cut === undefined ? open : cut.start;
}
