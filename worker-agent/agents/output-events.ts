// Bytes that a program prints, as log events: text decoded, escape sequences and control characters taken out,
// capped. Used for the stderr of agents and for all that the `command` agent prints.
import { StringDecoder } from 'node:string_decoder';
import { stripVTControlCharacters } from 'node:util';

const EVENT_BYTES = 8 * 1024;
const TAIL_BYTES = 4 * 1024;
/** Of one program's stream in one run; the raw log keeps more. */
const CAP_BYTES = 1024 * 1024;

export interface OutputEvents {
  write(chunk: Buffer): void;
  /** Gives out what is left; says how much was left out. */
  end(): void;
  /** The last 4 KiB, cleaned, for error messages. */
  tail(): string;
}

/** A sink that hands cleaned text to `emit`, whole lines where it can. */
export function outputEvents(
  emit: (text: string) => void,
  note: (text: string) => void,
  capBytes = CAP_BYTES,
): OutputEvents {
  const decoder = new StringDecoder('utf8');
  let partial = '';
  let seen = 0;
  let tail: Buffer = Buffer.alloc(0);

  function give(text: string): void {
    for (let from = 0; from < text.length; from += EVENT_BYTES)
      emit(clean(text.slice(from, from + EVENT_BYTES)));
  }

  return {
    write(chunk) {
      tail =
        chunk.length >= TAIL_BYTES
          ? chunk.subarray(-TAIL_BYTES)
          : Buffer.concat([tail, chunk]).subarray(-TAIL_BYTES);
      const room = Math.max(0, capBytes - seen);
      seen += chunk.length;
      if (room === 0) return;
      const text = partial + decoder.write(chunk.subarray(0, room));
      const whole = text.length > EVENT_BYTES ? text.length : text.lastIndexOf('\n') + 1;
      partial = text.slice(whole);
      give(text.slice(0, whole));
    },
    end() {
      give(partial + decoder.end());
      partial = '';
      if (seen > capBytes) note(`${seen - capBytes} bytes of output are left out here`);
      seen = 0;
    },
    tail: () => clean(tail.toString()).trim(),
  };
}

/** Text without escape sequences and without control characters other than line break and tab. */
export function clean(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return stripVTControlCharacters(text)
    .replaceAll('\r\n', '\n')
    .replaceAll(/[\0-\x08\v-\x1f\x7f]/g, '\ufffd');
}
