// Logs of runs: one append-only file a stream, whose acknowledged length is in the database.
// The bytes are on disk before the row says so; what a crash leaves beyond the row is cut off by the next append.
// Secrets are masked before anything is kept. Used by the API (ingest, read, follow) and by retention.
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { LogAck } from '../../protocol/log.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Queryable } from '../db/connect.ts';
import { cleanBytes, type CleanBytes } from '../redaction/clean-bytes.ts';
import { redactor, type Redactor } from '../redaction/redactor.ts';
import { acknowledge } from './acknowledge.ts';

const READ_BYTES = 256 * 1024;
/** The file of a stream that nothing came for is closed. */
const IDLE_MS = 30_000;
const EMPTY = Buffer.alloc(0);
const SHAPES_ALONE = redactor([]);

/** What may be the beginning of a secret waits so long for its end; the worker gives it again and again meanwhile. */
const HELD_MS = 1_000;

/** What is known of one stream. */
export interface StreamState {
  bytes: number;
  /** How many of them are masked. */
  redacted: number;
  state: 'open' | 'complete' | 'truncated';
  sha256: string | null;
}

/** Where a stream's bytes lie: `<logs>/<task>/<run>.<stream>.log`, at most one folder a task. */
export function logFile(directory: string, run: string, stream: string): string {
  return path.join(directory, run.slice(0, run.indexOf('-')), `${run}.${stream}.log`);
}

/** Bytes of a stream and where they begin. */
export interface LogPiece {
  offset: number;
  bytes: Buffer;
}

interface Batch extends LogPiece {
  run: string;
  fence: number;
  stream: string;
}

/** A stream that bytes have come for lately: how long it is, and its file. */
interface GrowingStream {
  fence: number;
  bytes: number;
  handle: FileHandle | undefined;
  idle: NodeJS.Timeout;
  /** The bytes that came last, as they came: they tell what the next ones are. */
  before: Buffer;
  /** Since when the byte after the last one is held back. */
  heldSince: number | undefined;
}

/**
 * Appends batches; those of one stream one after the other, those of different streams side by side. It is the only writer:
 * what it knows of a growing stream it need not ask for, and what the database says otherwise is found when it acknowledges.
 */
export class LogStore {
  readonly #directory: string;
  readonly #tails = new Map<string, Promise<unknown>>();
  readonly #growing = new Map<string, GrowingStream>();
  readonly #watchers = new Map<string, Set<(piece: LogPiece) => void>>();

  readonly #redactor: () => Redactor;

  constructor(directory: string, current = () => SHAPES_ALONE) {
    this.#directory = directory;
    this.#redactor = current;
  }

  /**
   * Appends `bytes` at `offset`. A batch that is already there is a no-op, one that overlaps is appended from where it is new,
   * a gap is refused with ERR_LOG_GAP, whose details carry `bytes`, the offset to go on from. What may be the beginning of a secret
   * is not taken until more has come, or nothing has for a second.
   */
  async append(db: Queryable, batch: Batch): Promise<LogAck> {
    const key = `${batch.run}/${batch.stream}`;
    const before = this.#tails.get(key) ?? Promise.resolve();
    const mine = before.then(
      () => this.#appendNow(db, key, batch),
      () => this.#appendNow(db, key, batch),
    );
    this.#tails.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#tails.get(key) === mine) this.#tails.delete(key);
    }
  }

  /** Calls back with each piece once it is acknowledged, until the returned function is called. */
  watch(run: string, stream: string, grown: (piece: LogPiece) => void): () => void {
    const key = `${run}/${stream}`;
    const watchers = this.#watchers.get(key) ?? new Set();
    this.#watchers.set(key, watchers.add(grown));
    return () => {
      watchers.delete(grown);
      if (watchers.size === 0 && this.#watchers.get(key) === watchers) this.#watchers.delete(key);
    };
  }

  async #appendNow(db: Queryable, key: string, batch: Batch): Promise<LogAck> {
    const stream = await this.#growingStream(db, key, batch);
    const have = stream.bytes;
    if (batch.offset > have) {
      throw new AutocodeError(
        'ERR_LOG_GAP',
        `Stream ${batch.stream} of run ${batch.run} ends at byte ${have}, the batch begins at ${batch.offset}.`,
        {
          remedy: `Send the bytes from ${have}.`,
          details: { bytes: have },
        },
      );
    }
    const fresh = batch.bytes.subarray(have - batch.offset);
    if (fresh.length === 0) return { bytes: have };
    const { bytes: clean, masked } = this.#clean(stream, fresh);
    if (clean.length === 0) return { bytes: have };
    try {
      await this.#write(batch, stream, clean);
      const bytes = have + clean.length;
      if (!(await acknowledge(db, { ...batch, have, bytes, masked }))) throw takesNoMore(batch);
      stream.bytes = bytes;
      stream.before = lastOf(stream.before, fresh.subarray(0, clean.length), this.#redactor().reach);
    } catch (error) {
      this.#forget(key, stream); // the next batch asks the database, and cuts the file back to what it says
      throw error;
    }
    for (const grown of this.#watchers.get(key) ?? []) grown({ offset: have, bytes: clean });
    return { bytes: stream.bytes };
  }

  async #growingStream(db: Queryable, key: string, batch: Batch): Promise<GrowingStream> {
    const known = this.#growing.get(key);
    if (known?.fence === batch.fence) {
      known.idle.refresh();
      return known;
    }
    const bytes = await openStream(db, batch);
    const idle = setTimeout(() => this.#forget(key, stream), IDLE_MS).unref();
    const stream: GrowingStream = {
      fence: batch.fence,
      bytes,
      handle: undefined,
      idle,
      before: EMPTY,
      heldSince: undefined,
    };
    this.#growing.set(key, stream);
    return stream;
  }

  #clean(stream: GrowingStream, fresh: Buffer): CleanBytes {
    const now = performance.now();
    const over = stream.heldSince !== undefined && now - stream.heldSince >= HELD_MS;
    const clean = cleanBytes(this.#redactor(), stream.before, fresh, over);
    if (clean.bytes.length > 0) stream.heldSince = undefined;
    if (clean.bytes.length < fresh.length) stream.heldSince ??= now;
    return clean;
  }

  #forget(key: string, stream: GrowingStream): void {
    clearTimeout(stream.idle);
    if (this.#growing.get(key) === stream) this.#growing.delete(key);
    stream.handle?.close().catch(() => {}); // all that counts was synced before
    stream.handle = undefined;
  }

  async #write(batch: Batch, stream: GrowingStream, bytes: Buffer): Promise<void> {
    try {
      stream.handle ??= await openAt(logFile(this.#directory, batch.run, batch.stream), stream.bytes);
      await writeAll(stream.handle, bytes, stream.bytes);
      await stream.handle.datasync();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      throw new AutocodeError(
        'ERR_DISK_FULL',
        `The log of run ${batch.run} cannot be stored: the disk under ${this.#directory} is full.`,
        {
          remedy: 'Free space there; the worker keeps the bytes and sends them again.',
          cause: error,
        },
      );
    }
  }

  /** Bytes `from`..`to` of a stream, in pieces. */
  async *read(run: string, stream: string, from: number, to: number): AsyncGenerator<Buffer> {
    if (from >= to) return;
    const handle = await open(logFile(this.#directory, run, stream), 'r').catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
        throw new AutocodeError('ERR_NOT_FOUND', `The log of run ${run} is no longer kept.`, {
          remedy: 'See retention.runLogsDays in the configuration.',
        });
      },
    );
    try {
      for (let at = from; at < to;) {
        const { bytesRead, buffer } = await handle.read(
          Buffer.allocUnsafe(Math.min(READ_BYTES, to - at)),
          0,
          Math.min(READ_BYTES, to - at),
          at,
        );
        if (bytesRead === 0) return;
        yield buffer.subarray(0, bytesRead);
        at += bytesRead;
      }
    } finally {
      await handle.close();
    }
  }

  /** SHA-256 of the first `bytes` of a stream, as lower-case hex. */
  async digest(run: string, stream: string, bytes: number): Promise<string> {
    const hash = createHash('sha256');
    for await (const piece of this.read(run, stream, 0, bytes)) hash.update(piece);
    return hash.digest('hex');
  }
}

/** Length and state of a stream, or null when the run has none of that name. */
export async function streamState(db: Queryable, run: string, stream: string): Promise<StreamState | null> {
  const { rows } = await db.query({
    name: 'log-state',
    text: `select bytes, redacted, state, sha256 from log_stream where run = $1 and stream = $2`,
    values: [run, stream],
  });
  return rows[0] ?? null;
}

function lastOf(before: Buffer, bytes: Buffer, length: number): Buffer {
  if (bytes.length >= length) return Buffer.from(bytes.subarray(bytes.length - length));
  return Buffer.concat([before.subarray(Math.max(0, before.length + bytes.length - length)), bytes]);
}

async function openStream(db: Queryable, batch: Batch): Promise<number> {
  const { rows } = await db.query({
    name: 'log-open-stream',
    text: `select s.bytes, s.state = 'open' or (s.state = 'truncated' and r.state = 'lost') as takes from log_stream s join run r on r.id = s.run
           where s.run = $1 and s.stream = $2 and r.fence = $3`,
    values: [batch.run, batch.stream, batch.fence],
  });
  const found = rows[0];
  if (found === undefined || !found.takes) throw takesNoMore(batch);
  return found.bytes;
}

function takesNoMore(batch: Batch): AutocodeError {
  return new AutocodeError(
    'ERR_STALE_FENCE',
    `Run ${batch.run} takes no more bytes for ${batch.stream} with fence ${batch.fence}.`,
    {
      remedy: 'The run has ended or was given to another worker; stop.',
    },
  );
}

/** Opens a file for writing, cut back to `bytes`: what a crash left beyond them was never acknowledged. */
async function openAt(file: string, bytes: number): Promise<FileHandle> {
  const handle = await openForAppend(file);
  try {
    await handle.truncate(bytes);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openForAppend(file: string): Promise<FileHandle> {
  const flags = constants.O_WRONLY | constants.O_CREAT;
  try {
    return await open(file, flags, 0o640);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await mkdir(path.dirname(file), { recursive: true, mode: 0o750 });
    return await open(file, flags, 0o640);
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += (await handle.write(bytes, written, bytes.length - written, at + written)).bytesWritten;
  }
}
