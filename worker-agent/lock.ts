// Locks between processes of one machine that the kernel drops with their owner, however it ends: abstract sockets.
// Used for the state directory (one worker), a run (one runner) and an object cache (one fetch at a time).
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface Lock {
  release(): Promise<void>;
}

const POLL_MS = 50;

/** The lock of a directory for one purpose, or null when another process holds it. */
export async function tryLock(directory: string, purpose: string): Promise<Lock | null> {
  const server = createServer((socket) => socket.destroy());
  server.unref();
  server.listen({ path: addressOf(directory, purpose) });
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return null;
    throw error;
  }
  return {
    async release() {
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}

/** Whether a process holds the lock; asked without taking it, so that nobody who wants it is turned away. */
export async function isLocked(directory: string, purpose: string): Promise<boolean> {
  return await isListening(addressOf(directory, purpose));
}

/** Whether somebody listens on a unix socket: the kernel refuses a connection where its owner is gone. */
export async function isListening(address: string): Promise<boolean> {
  const connection = connect(address);
  try {
    await once(connection, 'connect');
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ECONNREFUSED';
  } finally {
    connection.on('error', () => {}).destroy();
  }
}

function addressOf(directory: string, purpose: string): string {
  const key = createHash('sha256').update(realpathSync(directory)).digest('hex').slice(0, 32);
  return `\0autocode:${purpose}:${key}`;
}

/** Waits for the lock until it is free or the signal aborts. */
export async function waitForLock(directory: string, purpose: string, signal: AbortSignal): Promise<Lock> {
  for (;;) {
    signal.throwIfAborted();
    const lock = await tryLock(directory, purpose);
    if (lock) return lock;
    await delay(POLL_MS, undefined, { signal });
  }
}
