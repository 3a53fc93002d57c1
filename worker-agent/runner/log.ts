// The log of a run as it is written: two append-only files, `events` (JSON lines) and `raw` (the agent's own bytes).
// The files are the spool: what the orchestrator has not acknowledged yet is on this disk. Used by the runner.
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { LOG_STREAMS, type LogStream } from '../../protocol/log.ts';
import type { RunEventInput } from '../agents/coding-agent.ts';
import type { RunDirectory } from '../run-directory.ts';

export interface RunLog {
  event(event: RunEventInput): void;
  raw(bytes: Uint8Array): void;
  close(): void;
}

export interface RunLogOptions {
  directory: RunDirectory;
  /** Told the length of a stream's file after each write. */
  grew(stream: LogStream, bytes: number): void;
  /** Told once when the disk takes no more. */
  failed(error: Error): void;
  /** An agent that prints for ever must not fill the disk: more than this is dropped, with a notice. */
  capBytes?: number;
}

const CAP_BYTES = 256 * 1024 * 1024;
/** Kept in `events` for what the run itself has to say. */
const RESERVED_BYTES = 1024 * 1024;
const ESSENTIAL: readonly string[] = ['step', 'notice', 'error'];

/** Opens the files for appending. Writes go to the page cache at once, so a dead runner loses none. */
export function openRunLog({ directory, grew, failed, capBytes = CAP_BYTES }: RunLogOptions): RunLog {
  const streams = Object.fromEntries(
    LOG_STREAMS.map((stream) => [stream, openStream(directory.log(stream))]),
  ) as Record<LogStream, OpenStream>;
  const full = new Set<LogStream>();
  let broken = false;

  function append(stream: LogStream, bytes: Uint8Array): void {
    if (broken) return;
    const file = streams[stream];
    try {
      for (let at = 0; at < bytes.length;) {
        const written = writeSync(file.descriptor, bytes, at);
        at += written;
        file.bytes += written;
      }
    } catch (error) {
      broken = true;
      failed(error as Error);
    }
    grew(stream, file.bytes);
  }

  function hasRoom(stream: LogStream, bytes: number): boolean {
    if (full.has(stream)) return false;
    if (streams[stream].bytes + bytes <= capBytes) return true;
    full.add(stream);
    event({
      type: 'notice',
      text: `The log stream ${stream} has reached ${capBytes} bytes; what comes now is dropped.`,
    });
    return false;
  }

  function event(input: RunEventInput): void {
    const line = Buffer.from(`${JSON.stringify({ t: Date.now(), ...input })}\n`);
    const room = ESSENTIAL.includes(input.type)
      ? streams.events.bytes + line.length <= capBytes + RESERVED_BYTES
      : hasRoom('events', line.length);
    if (room) append('events', line);
  }

  return {
    event,
    raw: (bytes) => {
      if (hasRoom('raw', bytes.length)) append('raw', bytes);
    },
    close() {
      for (const stream of LOG_STREAMS) closeSync(streams[stream].descriptor);
      broken = true;
    },
  };
}

interface OpenStream {
  descriptor: number;
  bytes: number;
}

// A line that a dead runner left without its end is closed first, so that the next one is whole.
function openStream(file: string): OpenStream {
  const descriptor = openSync(file, 'a+', 0o600);
  let { size: bytes } = fstatSync(descriptor);
  const last = Buffer.alloc(1);
  if (
    bytes > 0 &&
    file.endsWith('events.log') &&
    readSync(descriptor, last, 0, 1, bytes - 1) === 1 &&
    last[0] !== 10
  ) {
    bytes += writeSync(descriptor, '\n');
  }
  return { descriptor, bytes };
}
