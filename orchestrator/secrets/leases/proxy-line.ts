// The line to the egress proxy, a unix socket of its own: what is lent goes over, misuse comes back. Values go by this way alone. Used by
// keeper.ts; proxy-addon/secrets_line.py is the other end.
import { closeSync, openSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

/** What the proxy is to hold from now on. */
export interface Lent {
  leases: {
    run: string;
    secret: string;
    placeholder: string;
    uses: { rule: string; place: string; plain: boolean }[];
    /** The one to use first; none: the proxy keeps those it has until their end. */
    values: string[];
    seconds: number;
    trouble: string | null;
  }[];
  /** Values that go nowhere, by name; those of `names` that are not told anew stay. */
  watched: Record<string, string[]>;
  names: string[];
}

const Told = z.object({
  misused: z.record(
    z.string(),
    z.object({
      run: z.string().nullable(),
      worker: z.string().nullable(),
      secret: z.string(),
      kind: z.string(),
      place: z.string(),
      method: z.string(),
      host: z.string(),
    }),
  ),
});
export type Misuses = z.infer<typeof Told>['misused'];

export interface ProxyLineOptions {
  socket: string;
  signal: AbortSignal;
  /** What holds now; asked for with each connection. Null while it is not known: what the proxy has then holds on. */
  now(): Lent | null;
  /** Resolves when they are written down; the proxy tells them again until then. */
  misused(reports: Misuses): Promise<void>;
  failed(error: unknown): void;
}

export interface ProxyLine {
  /** Says what holds now. */
  say(): void;
  connected(): boolean;
  stopped: Promise<void>;
}

const RETRY_MS = 250;

/** Keeps a connection from now on until the signal. */
export function openProxyLine({ socket, signal, now, misused, failed }: ProxyLineOptions): ProxyLine {
  let line: net.Socket | null = null;
  const write = (document: unknown) =>
    void (document === null || line?.write(`${JSON.stringify(document)}\n`));

  async function hear(connection: net.Socket): Promise<void> {
    for await (const text of createInterface({ input: connection })) {
      try {
        const { misused: reports } = Told.parse(JSON.parse(text));
        await misused(reports);
        write({ heard: Object.keys(reports) });
      } catch (error) {
        failed(error);
        connection.destroy(); // it is told again by the next one
      }
    }
  }

  async function keep(): Promise<void> {
    while (!signal.aborted) {
      const connection = await connect(socket, signal);
      if (connection !== null) {
        line = connection;
        write(now());
        await hear(connection).catch(() => {}); // it was closed
        line = null;
        connection.destroy();
      }
      await delay(RETRY_MS, undefined, { signal }).catch(() => {});
    }
  }
  const stopped = keep();
  return { say: () => write(now()), connected: () => line !== null, stopped };
}

// By the folder's descriptor: the path of a socket may be 107 bytes long, and that of a data directory longer.
async function connect(socket: string, signal: AbortSignal): Promise<net.Socket | null> {
  let folder: number;
  try {
    folder = openSync(path.dirname(socket), 'r');
  } catch {
    return null;
  }
  const connection = net.connect({ path: `/proc/self/fd/${folder}/${path.basename(socket)}`, signal });
  const made = await new Promise<boolean>((resolve) => {
    connection.once('connect', () => resolve(true)).once('error', () => resolve(false));
  });
  closeSync(folder);
  if (!made) return null;
  connection.on('error', () => {});
  return connection;
}
