// The connection pool, transactions that retry, and LISTEN that survives a lost connection.
// Used by every part that keeps state. SQL functions of the product take `db: Queryable` first,
// so that they run on the pool or inside a transaction alike.
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { cleanClient } from './clean-client.ts';

export type Database = pg.Pool;
export type Queryable = Pick<pg.ClientBase, 'query'>;

export interface ConnectOptions {
  url: string;
  poolSize?: number;
  applicationName?: string;
  onError?: (error: Error) => void;
  /** What each text goes through on its way into the database. */
  clean?: (text: string) => string;
}

const INT8 = 20;
const RETRIED = new Set(['40001', '40P01']); // serialization failure, deadlock
const NOT_READY = new Set(['ECONNREFUSED', 'ENOENT', '57P03']); // no server on the socket, or it is starting
const TRANSACTION_ATTEMPTS = 5;
const RECONNECT_MS = 5_000;

/** Opens a pool. int8 becomes a number where that is exact, numeric stays a string, timestamptz a Date. */
export function connect(options: ConnectOptions): Database {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.poolSize ?? 10,
    application_name: options.applicationName ?? 'autocode',
    statement_timeout: 60_000,
    idle_in_transaction_session_timeout: 60_000,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    types: { getTypeParser },
    ...(options.clean === undefined ? {} : { Client: cleanClient(options.clean) }),
  });
  // A server that stops after its pool still finds connections that are on their way out: no loss.
  const report = (error: Error) => {
    if (!pool.ending) options.onError?.(error);
  };
  pool.on('error', report);
  // A checked-out client has no listener of the pool's: without this one a backend that is terminated
  // between two queries of a transaction would end the daemon.
  pool.on('connect', (client) => client.on('error', report));
  return pool;
}

/** Runs `work` in one transaction; a serialization failure or a deadlock starts it again, a few times. */
export async function transaction<T>(db: Database, work: (tx: pg.PoolClient) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transactionOnce(db, work);
    } catch (error) {
      if (attempt >= TRANSACTION_ATTEMPTS || !RETRIED.has(sqlState(error))) throw error;
      await delay(Math.random() * 10 * 2 ** attempt);
    }
  }
}

async function transactionOnce<T>(db: Database, work: (tx: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await connectWhenReady(db);
  let broken: Error | undefined;
  const noteBroken = (error: Error) => void (broken = error);
  client.on('error', noteBroken);
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(noteBroken);
    throw error;
  } finally {
    client.off('error', noteBroken);
    client.release(broken);
  }
}

// A server that is being restarted is back within a second: nothing was sent yet, so waiting is safe.
async function connectWhenReady(db: Database): Promise<pg.PoolClient> {
  const deadline = Date.now() + RECONNECT_MS;
  for (;;) {
    try {
      return await db.connect();
    } catch (error) {
      if (Date.now() > deadline || !NOT_READY.has(sqlState(error))) throw error;
      await delay(50);
    }
  }
}

export interface Listener {
  stop(): Promise<void>;
}

/**
 * Calls `onNotify(payload)` for each NOTIFY on the channel, over a connection of its own.
 * After a lost connection it listens again and calls `onNotify(undefined)`: something may have been missed.
 */
export async function listen(
  db: Database,
  channel: string,
  onNotify: (payload: string | undefined) => void,
): Promise<Listener> {
  const stopped = new AbortController();
  let client = await openListener(db, channel, onNotify);
  const watch = (current: pg.Client) => current.once('end', () => void reconnect());

  const reconnect = async () => {
    for (let pause = 50; !stopped.signal.aborted; pause = Math.min(pause * 2, RECONNECT_MS)) {
      try {
        client = await openListener(db, channel, onNotify);
        if (stopped.signal.aborted) return await client.end();
        watch(client);
        return onNotify(undefined);
      } catch {
        await delay(pause, undefined, { signal: stopped.signal }).catch(() => {});
      }
    }
  };
  watch(client);
  return {
    async stop() {
      stopped.abort();
      await client.end();
    },
  };
}

async function openListener(
  db: Database,
  channel: string,
  onNotify: (payload: string | undefined) => void,
): Promise<pg.Client> {
  const { connectionString, application_name } = db.options;
  const client = new pg.Client({
    connectionString,
    application_name,
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
  });
  client.on('error', () => {}); // 'end' follows
  client.on('notification', (message) => onNotify(message.payload ?? ''));
  try {
    await client.connect();
    await client.query(`listen ${pg.escapeIdentifier(channel)}`);
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
}

/** The SQLSTATE or the system's code of an error, or '' where it has none. */
export function sqlState(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Whether the server offers the `vector` extension; without it similarity search scans exactly. */
export async function hasPgvector(db: Queryable): Promise<boolean> {
  const found = await db.query(`select 1 from pg_available_extensions where name = 'vector'`);
  return found.rowCount === 1;
}

const getTypeParser: typeof pg.types.getTypeParser = (oid: number, format?: 'text' | 'binary') =>
  oid === INT8 && format !== 'binary' ? exactInteger : pg.types.getTypeParser(oid, format as 'text');

function exactInteger(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}
