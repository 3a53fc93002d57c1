// JSON lines that a program prints, as objects. Holds against text between them and against a line without end.
// Used by CliAgent.

export interface JsonLinesOptions {
  object(value: object): void;
  /** A line that is none, with its line break. */
  stray(text: Buffer): void;
  /** A line is longer than any answer; nothing more is read. */
  tooLong(): void;
  maxLineBytes?: number;
}

const MAX_LINE_BYTES = 16 * 1024 * 1024;
const NEWLINE = 10;

/** A sink for the program's bytes; end() takes what has no line break. */
export function jsonLines(options: JsonLinesOptions): { write(chunk: Buffer): void; end(): void } {
  const limit = options.maxLineBytes ?? MAX_LINE_BYTES;
  let pending: Buffer[] = [];
  let pendingBytes = 0;

  function take(line: Buffer): void {
    const value = parse(line);
    if (value !== null) options.object(value);
    else if (line.toString().trim() !== '') options.stray(line);
  }

  function endLine(rest: Buffer): void {
    const line = Buffer.concat([...pending, rest]);
    pending = [];
    pendingBytes = 0;
    take(line);
  }

  return {
    write(chunk) {
      if (pendingBytes > limit) return;
      let from = 0;
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
        endLine(chunk.subarray(from, end + 1));
        from = end + 1;
      }
      pending.push(chunk.subarray(from));
      pendingBytes += chunk.length - from;
      if (pendingBytes > limit) options.tooLong();
    },
    end() {
      if (pendingBytes > 0 && pendingBytes <= limit) endLine(Buffer.alloc(0));
    },
  };
}

function parse(line: Buffer): object | null {
  if (line[0] !== 0x7b) return null;
  try {
    return JSON.parse(line.toString()) as object;
  } catch {
    return null;
  }
}
