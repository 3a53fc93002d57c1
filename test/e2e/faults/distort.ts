// Preloaded into the daemon and its worker (NODE_OPTIONS=--import): a disk whose flushes are slow and a clock that jumps, as
// files in AUTOCODE_DISTORT say. What is tested stays as it is; only the machine under it gets worse.
import { existsSync, readFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const directory = process.env.AUTOCODE_DISTORT ?? '';
const FLUSH_MS = 400;

const handle = await open(process.execPath);
const flushing = Object.getPrototypeOf(handle) as Pick<FileHandle, 'datasync' | 'sync'>;
await handle.close();
for (const name of ['datasync', 'sync'] as const) {
  const real = flushing[name];
  flushing[name] = async function slow(this: FileHandle) {
    if (existsSync(path.join(directory, 'slow-disk'))) await delay(FLUSH_MS);
    await real.call(this);
  };
}

let shiftMs = 0;
setInterval(() => {
  const file = path.join(directory, 'clock-shift');
  shiftMs = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
}, 50).unref();
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...given: unknown[]) {
    super(...((given.length === 0 ? [RealDate.now() + shiftMs] : given) as [number]));
  }

  static override now(): number {
    return RealDate.now() + shiftMs;
  }
} as DateConstructor;
