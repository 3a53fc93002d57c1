// Sends one stream of a run's log to the orchestrator by byte offset, from wherever the orchestrator says it is.
// Used by the runner while the file grows, and by the worker for what a dead runner left behind.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import { LOG_BATCH_BYTES, LOG_BATCH_MS } from '../../protocol/log.ts';
import type { RunApi } from './api.ts';

export interface StreamEnd {
  bytes: number;
  sha256: string;
}

export interface ShipperOptions {
  api: Pick<RunApi, 'appendLog'>;
  stream: string;
  file: string;
  /** Length of the file so far. */
  size?: number;
  /** Told when the orchestrator refuses the stream. */
  failed?: (error: unknown) => void;
}

const Gap = z.object({ bytes: z.number().int().nonnegative() });

/** Has a life: it follows the file until `end`. */
export class LogShipper {
  readonly #api: Pick<RunApi, 'appendLog'>;
  readonly #stream: string;
  readonly #file: string;
  readonly #done: Promise<void>;
  #size: number;
  #sent = 0;
  #waitingSince = 0;
  #ending = false;
  #wake: () => void = () => {};

  constructor({ api, stream, file, size = 0, failed = () => {} }: ShipperOptions) {
    this.#api = api;
    this.#stream = stream;
    this.#file = file;
    this.#size = size;
    this.#done = this.#follow();
    this.#done.catch(failed);
  }

  /** The file has grown to this length. */
  grew(bytes: number): void {
    if (this.#size === this.#sent) this.#waitingSince = performance.now();
    this.#size = bytes;
    this.#wake();
  }

  /** Resolves when every byte is acknowledged, with what the stream's end is. */
  async end(): Promise<StreamEnd> {
    this.#ending = true;
    this.#wake();
    await this.#done;
    const hash = createHash('sha256');
    if (this.#size > 0)
      for await (const piece of createReadStream(this.#file, { end: this.#size - 1 }))
        hash.update(piece as Buffer);
    return { bytes: this.#size, sha256: hash.digest('hex') };
  }

  async #follow(): Promise<void> {
    let handle: FileHandle | undefined;
    try {
      await this.#send(new Uint8Array()); // nothing, to be told where the orchestrator is
      for (;;) {
        if (this.#sent < this.#size) {
          await this.#fillBatch();
          handle ??= await open(this.#file, 'r');
          const length = Math.min(LOG_BATCH_BYTES, this.#size - this.#sent);
          const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(length), 0, length, this.#sent);
          if (bytesRead === 0)
            throw new AutocodeError(
              'ERR_INTERNAL',
              `${this.#file} is shorter than the log that was written to it.`,
            );
          const before = this.#sent;
          await this.#send(buffer.subarray(0, bytesRead));
          if (this.#sent === before) await delay(LOG_BATCH_MS); // not taken yet: it waits for more, or for a while
          this.#waitingSince = performance.now();
        } else if (this.#ending) {
          return;
        } else {
          await new Promise<void>((resolve) => (this.#wake = resolve));
        }
      }
    } finally {
      await handle?.close();
    }
  }

  // The first byte waits at most LOG_BATCH_MS for others to come along.
  async #fillBatch(): Promise<void> {
    for (;;) {
      const left = this.#waitingSince + LOG_BATCH_MS - performance.now();
      if (this.#ending || left <= 0 || this.#size - this.#sent >= LOG_BATCH_BYTES) return;
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, left);
      });
      clearTimeout(timer);
    }
  }

  async #send(bytes: Uint8Array): Promise<void> {
    try {
      this.#sent = (await this.#api.appendLog(this.#stream, this.#sent, bytes)).bytes;
    } catch (error) {
      if (!(error instanceof AutocodeError) || error.code !== 'ERR_LOG_GAP') throw error;
      this.#sent = Gap.parse(error.details).bytes; // it has less than it once acknowledged: go on from there
    }
  }
}
