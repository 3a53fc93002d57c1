// JSON-RPC lines over an agent's stdio as the stream that the ACP library wants. Keeps the raw lines, and holds
// against an agent that prints other things than messages or one line without end. Used by AcpAgent.
import { once } from 'node:events';
import type { AnyMessage, Stream } from '@agentclientprotocol/sdk';
import type { SandboxProcess } from '../sandbox/sandbox.ts';

export interface AcpStreamOptions {
  /** Every line as it crossed, both ways, marked `> ` (to the agent) or `< `. */
  raw(bytes: Uint8Array): void;
  /** A line that is no message. */
  stray(text: string): void;
  /** The agent broke the protocol: it must be ended. */
  broken(why: string): void;
  maxLineBytes?: number;
}

const MAX_LINE_BYTES = 16 * 1024 * 1024;
/** So many stray lines in a row are no banner any more. */
const MAX_STRAY_LINES = 50;

const TO_AGENT = Buffer.from('> ');
const FROM_AGENT = Buffer.from('< ');
const NEWLINE = Buffer.from('\n');

/** The two directions of an agent's stdio as messages. The readable side ends with the agent's output. */
export function acpStream(process: SandboxProcess, options: AcpStreamOptions): Stream {
  return {
    readable: new ReadableStream<AnyMessage>({
      start(controller) {
        void readMessages(process, options, (message) => controller.enqueue(message)).finally(() => {
          try {
            controller.close();
          } catch {
            // Closed already: the reader went first.
          }
        });
      },
    }),
    writable: new WritableStream<AnyMessage>({
      async write(message) {
        const line = Buffer.from(`${JSON.stringify(message)}\n`);
        options.raw(Buffer.concat([TO_AGENT, line]));
        const stdin = process.stdin;
        if (!stdin?.writable) return;
        if (!stdin.write(line)) await Promise.race([once(stdin, 'drain').catch(() => {}), process.exited]);
      },
    }),
  };
}

async function readMessages(
  process: SandboxProcess,
  options: AcpStreamOptions,
  enqueue: (message: AnyMessage) => void,
): Promise<void> {
  const limit = options.maxLineBytes ?? MAX_LINE_BYTES;
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let strayLines = 0;

  /** False when the agent is past help. */
  function take(line: Buffer): boolean {
    options.raw(Buffer.concat([FROM_AGENT, line, NEWLINE]));
    const message = parseMessage(line);
    if (message) {
      strayLines = 0;
      enqueue(message);
      return true;
    }
    if (line.toString().trim() === '') return true;
    options.stray(line.subarray(0, 2000).toString());
    strayLines += 1;
    if (strayLines <= MAX_STRAY_LINES) return true;
    options.broken(`it prints text where protocol messages belong: ${quote(line)}`);
    return false;
  }

  try {
    for await (const chunk of process.stdout as AsyncIterable<Buffer>) {
      let from = 0;
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
        const line = Buffer.concat([...pending, chunk.subarray(from, end)]);
        pending = [];
        pendingBytes = 0;
        from = end + 1;
        if (!take(line)) return;
      }
      if (from === chunk.length) continue;
      pending.push(chunk.subarray(from));
      pendingBytes += chunk.length - from;
      if (pendingBytes > limit) {
        return options.broken(`it printed a line of more than ${Math.floor(limit / 1024 / 1024)} MiB`);
      }
    }
    if (pendingBytes > 0) take(Buffer.concat(pending));
  } catch {
    // A pipe that breaks is an end; how the agent ended is told by its exit.
  }
}

/** The message on a line, or null if it holds none. */
function parseMessage(line: Buffer): AnyMessage | null {
  if (line[0] !== 0x7b) return null;
  try {
    const value: unknown = JSON.parse(line.toString());
    return typeof value === 'object' && value !== null && 'jsonrpc' in value ? (value as AnyMessage) : null;
  } catch {
    return null;
  }
}

function quote(line: Buffer): string {
  return JSON.stringify(line.subarray(0, 200).toString());
}
