// One install of an agent at a time in a tool directory. Used by install.ts.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { realpath } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';

export interface InstallLock {
  release(): void;
}

/**
 * Takes the lock, waiting for its owner if there is one. It is a name of the kernel's that goes with its owner,
 * however that ends; who waits holds a connection to the owner and sees it close.
 */
export async function lockInstall(toolDir: string, name: string, onWait: () => void): Promise<InstallLock> {
  const key = createHash('sha256').update(await realpath(toolDir)).digest('hex').slice(0, 32);
  const path = `\0autocode:install-${name}:${key}`;
  for (;;) {
    const lock = await tryLock(path);
    if (lock) return lock;
    onWait();
    const owner = connect({ path });
    await new Promise((resolve) => owner.on('error', () => {}).on('close', resolve).resume());
  }
}

async function tryLock(path: string): Promise<InstallLock | null> {
  const waiting = new Set<Socket>();
  const server = createServer((socket) => {
    waiting.add(socket.unref());
    socket.on('error', () => {}).on('close', () => waiting.delete(socket)).resume();
  });
  server.listen({ path });
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return null;
    throw error;
  }
  server.unref();
  return {
    release() {
      server.close();
      for (const socket of waiting) socket.destroy();
    },
  };
}
