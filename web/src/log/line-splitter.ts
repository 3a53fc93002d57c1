// Lines of bytes that come in pieces of any size. Used by the log window and by the task page.
import type { LogLine } from '../../../protocol/log.ts';

const NEWLINE = 10;
/** As the API does, whose schemas the page need not have: LOG_LINE_BYTES of protocol/log.ts. */
const LINE_BYTES = 64 * 1024;

/** What is known of a line whose newline has not come. */
interface Open {
  at: number;
  parts: Uint8Array[];
  kept: number;
  bytes: number;
}

/** Splits what is given to it, from a line and a byte on. A line is kept up to its first 64 KiB. */
export class LineSplitter {
  readonly #text = new TextDecoder();
  #line: number;
  #open: Open;

  constructor(line: number, at: number) {
    this.#line = line;
    this.#open = { at, parts: [], kept: 0, bytes: 0 };
  }

  /** The lines that a piece ends. */
  take(bytes: Uint8Array): LogLine[] {
    const lines: LogLine[] = [];
    let from = 0;
    for (let newline = bytes.indexOf(NEWLINE); newline !== -1; newline = bytes.indexOf(NEWLINE, from)) {
      this.#keep(bytes.subarray(from, newline));
      lines.push(this.#shown());
      this.#line++;
      this.#open = { at: this.#open.at + this.#open.bytes + 1, parts: [], kept: 0, bytes: 0 };
      from = newline + 1;
    }
    this.#keep(bytes.subarray(from));
    return lines;
  }

  /** The line whose newline has not come; undefined when nothing of it has. */
  open(): LogLine | undefined {
    return this.#open.bytes === 0 ? undefined : this.#shown();
  }

  #keep(bytes: Uint8Array): void {
    const room = bytes.subarray(0, Math.max(0, LINE_BYTES - this.#open.kept));
    if (room.length > 0) this.#open.parts.push(room);
    this.#open.kept += room.length;
    this.#open.bytes += bytes.length;
  }

  #shown(): LogLine {
    const { at, parts, bytes, kept } = this.#open;
    const whole = new Uint8Array(kept);
    let from = 0;
    for (const part of parts) {
      whole.set(part, from);
      from += part.length;
    }
    return { line: this.#line, at, bytes, text: this.#text.decode(whole) };
  }
}
