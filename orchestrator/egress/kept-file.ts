// A file for the proxy that follows the database: written when an event comes and looked after every few seconds. Used for identities
// and for the addresses of workers.
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { writeFileAtomic } from '../config/atomic-file.ts';
import type { Database } from '../db/connect.ts';
import { onNotify } from '../db/notifications.ts';

const LOOK_EVERY_MS = 5_000;
const SHORTEST_PAUSE_MS = 100;

export interface KeptFile {
  db: Database;
  file: string;
  /** What it is to say now. */
  content(): Promise<string>;
  signal: AbortSignal;
  failed(error: unknown): void;
}

/** Keeps it so from now on until the signal; resolves when it is there for the first time. */
export async function keepFile({
  db,
  file,
  content,
  signal,
  failed,
}: KeptFile): Promise<{ stopped: Promise<void> }> {
  let kept = await readFile(file, 'utf8').catch(() => '');
  const write = async () => {
    const now = await content();
    if (now !== kept) await writeFileAtomic(file, now);
    kept = now;
  };
  let wake = () => {};
  const unsubscribe = await onNotify(db, 'event', () => wake());
  await write();

  async function follow(): Promise<void> {
    while (!signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await write().catch(failed);
      await Promise.race([woken, delay(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => {})]);
      await delay(SHORTEST_PAUSE_MS, undefined, { signal }).catch(() => {});
    }
  }
  const stopped = follow().finally(unsubscribe);
  return { stopped };
}
