// Logs of runs: one append-only file a stream, whose acknowledged length is in the database.
// The bytes are on disk before the row says so; what a crash leaves beyond the row is cut off by the next append.
// Used by the API (ingest, read, follow) and by retention.
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { LogAck } from '../../protocol/log.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Queryable } from '../db/connect.ts';

const READ_BYTES = 256 * 1024;

/** What is known of one stream. */
export interface StreamState {
  bytes: number;
  state: 'open' | 'complete' | 'truncated';
  sha256: string | null;
}

/** Where a stream's bytes lie: `<logs>/<task>/<run>.<stream>.log`, at most one folder a task. */
export function logFile(directory: string, run: string, stream: string): string {
  return path.join(directory, run.slice(0, run.indexOf('-')), `${run}.${stream}.log`);
}

/** Appends batches; those of one stream one after the other, those of different streams side by side. */
export class LogStore {
  readonly #directory: string;
  readonly #tails = new Map<string, Promise<unknown>>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Appends `bytes` at `offset`. A batch that is already there is a no-op, one that overlaps is appended from where it is new,
   * a gap is refused with ERR_LOG_GAP, whose details carry `bytes`, the offset to go on from.
   */
  async append(db: Queryable, batch: { run: string; fence: number; stream: string; offset: number; bytes: Buffer }): Promise<LogAck> {
    const key = `${batch.run}/${batch.stream}`;
    const before = this.#tails.get(key) ?? Promise.resolve();
    const mine = before.then(
      () => this.#appendNow(db, batch),
      () => this.#appendNow(db, batch),
    );
    this.#tails.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#tails.get(key) === mine) this.#tails.delete(key);
    }
  }

  async #appendNow(db: Queryable, batch: { run: string; fence: number; stream: string; offset: number; bytes: Buffer }): Promise<LogAck> {
    const have = await openStream(db, batch);
    if (batch.offset > have) {
      throw new AutocodeError('ERR_LOG_GAP', `Stream ${batch.stream} of run ${batch.run} ends at byte ${have}, the batch begins at ${batch.offset}.`, {
        remedy: `Send the bytes from ${have}.`,
        details: { bytes: have },
      });
    }
    const fresh = batch.bytes.subarray(have - batch.offset);
    if (fresh.length === 0) return { bytes: have };
    await this.#write(batch, have, fresh);
    const bytes = have + fresh.length;
    await db.query({
      name: 'log-acknowledge',
      text: `update log_stream set bytes = $3, updated_at = now() where run = $1 and stream = $2 and bytes = $4`,
      values: [batch.run, batch.stream, bytes, have],
    });
    await db.query(`select pg_notify('log', $1)`, [`${batch.run}/${batch.stream}`]);
    return { bytes };
  }

  async #write(batch: { run: string; stream: string }, at: number, bytes: Buffer): Promise<void> {
    const file = logFile(this.#directory, batch.run, batch.stream);
    try {
      const handle = await openForAppend(file);
      try {
        await handle.truncate(at);
        await writeAll(handle, bytes, at);
        await handle.datasync();
      } finally {
        await handle.close();
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      throw new AutocodeError('ERR_DISK_FULL', `The log of run ${batch.run} cannot be stored: the disk under ${this.#directory} is full.`, {
        remedy: 'Free space there; the worker keeps the bytes and sends them again.',
        cause: error,
      });
    }
  }

  /** Bytes `from`..`to` of a stream, in pieces. */
  async *read(run: string, stream: string, from: number, to: number): AsyncGenerator<Buffer> {
    if (from >= to) return;
    const handle = await open(logFile(this.#directory, run, stream), 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      throw new AutocodeError('ERR_NOT_FOUND', `The log of run ${run} is no longer kept.`, { remedy: 'See retention.runLogsDays in the configuration.' });
    });
    try {
      for (let at = from; at < to; ) {
        const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(Math.min(READ_BYTES, to - at)), 0, Math.min(READ_BYTES, to - at), at);
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
    text: `select bytes, state, sha256 from log_stream where run = $1 and stream = $2`,
    values: [run, stream],
  });
  return rows[0] ?? null;
}

// A lost run's worker may still bring the tail it has: a truncated stream of a lost run takes bytes as an open one does.
async function openStream(db: Queryable, batch: { run: string; fence: number; stream: string }): Promise<number> {
  const { rows } = await db.query({
    name: 'log-open-stream',
    text: `select s.bytes, s.state = 'open' or (s.state = 'truncated' and r.state = 'lost') as takes from log_stream s join run r on r.id = s.run
           where s.run = $1 and s.stream = $2 and r.fence = $3`,
    values: [batch.run, batch.stream, batch.fence],
  });
  const found = rows[0];
  if (found === undefined || !found.takes) {
    throw new AutocodeError('ERR_STALE_FENCE', `Run ${batch.run} takes no more bytes for ${batch.stream} with fence ${batch.fence}.`, {
      remedy: 'The run has ended or was given to another worker; stop.',
    });
  }
  return found.bytes;
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
  for (let written = 0; written < bytes.length; ) {
    written += (await handle.write(bytes, written, bytes.length - written, at + written)).bytesWritten;
  }
}
