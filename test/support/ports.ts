// Ports of loopback for servers that have to be told theirs. Used by the servers of tests and benches.
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Above those that the kernel hands out by itself: until the server has it, no connection's own end takes it. */
const LOWEST = 61_000;
const HIGHEST = 65_535;

/** A port that is free now. */
export async function freePort(): Promise<number> {
  return (await freePorts(1))[0]!;
}

/** So many ports that are free now, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(LOWEST, HIGHEST);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
  await once(server.close(), 'close');
  return true;
}
