// The orchestrator's process as a simulation has it: its connections to the database, all of which are lost at once when it is
// killed, before a statement of choice. Used by orchestrator.ts.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { connect, type Database } from '../db/connect.ts';
import { goBy, type VirtualClock } from './clock.ts';

/** A process that was killed does nothing any more. */
export class Killed extends Error {}

export interface SimulatedProcess {
  db: Database;
  /** It dies before the nth statement from now. */
  killAt(statement: number): void;
  /** Resolves when the database has noticed its end. */
  gone(): Promise<void>;
}

let started = 0;

/** Starts one on a database, with a clock. */
export function startProcess(url: string, clock: VirtualClock): SimulatedProcess {
  const name = `autocode simulation ${process.pid}-${++started}`;
  const db = connect({ url, poolSize: 4, applicationName: name });
  let left = Infinity;
  const clients = new Set<pg.PoolClient>();
  db.on('connect', (client) => {
    clients.add(client);
    const query = client.query.bind(client) as (...input: unknown[]) => unknown;
    const tellTime = goBy(client, clock);
    client.query = ((...input: unknown[]) => {
      if (--left < 0) return refuse(input.at(-1));
      const told = tellTime();
      return told === undefined ? query(...input) : told.then(() => query(...input));
    }) as never;
  });
  return {
    db,
    killAt: (statement) => void (left = statement - 1),
    gone: async () => {
      left = 0;
      await Promise.all([...clients].map(async (client) => await hangUp(client)));
      await db.end().catch(() => {}); // what it held is gone with its connections
      await untilNoticed(url, name);
    },
  };
}

// The pool's own queries have a callback.
function refuse(callback: unknown): Promise<never> | undefined {
  const error = new Killed('the process was killed');
  if (typeof callback !== 'function') return Promise.reject(error);
  process.nextTick(() => (callback as (error: Error) => void)(error));
  return undefined;
}

// As the kernel does for a process that was killed: no goodbye to the server.
async function hangUp(client: pg.PoolClient): Promise<void> {
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
  if (stream.closed) return;
  stream.destroy();
  await once(stream, 'close').catch(() => {}); // however it ended
}

async function untilNoticed(url: string, name: string): Promise<void> {
  const db = connect({ url, poolSize: 1 });
  try {
    for (;;) {
      const { rowCount } = await db.query('select from pg_stat_activity where application_name = $1', [name]);
      if (rowCount === 0) return;
      await delay(5);
    }
  } finally {
    await db.end();
  }
}
