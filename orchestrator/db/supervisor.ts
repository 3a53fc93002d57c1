// PostgreSQL as a supervised child: private socket, its own user when we are root, back at once after a crash,
// gone with us however we end. Used by main.ts, by backups and by the tests' shared server.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { lockDirectory } from '../config/directory-lock.ts';
import { removeRuntimeDirectory, runtimeDirectory } from '../config/runtime-directory.ts';
import { ensureCluster, postgresError } from './cluster.ts';
import { POSTGRES_ENVIRONMENT, findPostgres } from './postgres-programs.ts';
import { clearRuntime, giveDirectory, postgresCommand, postgresUser } from './postgres-user.ts';
import type { PostgresPlaces, PostgresUser } from './postgres-user.ts';

export interface PostgresOptions {
  /** A server that is not ours (DATABASE_URL): nothing is started. */
  url?: string | undefined;
  /** Where the supervised server keeps its files, in a directory that is there for nothing else. */
  cluster: string;
  /** An installation to use instead of the bundled or the system's. */
  installation?: string | undefined;
  /** False only in tests: commits are then lost with the machine. */
  durable?: boolean;
  log?: ((line: string) => void) | undefined;
}

export interface Postgres {
  url: string;
  supervised: boolean;
  stop(): Promise<void>;
}

const DATABASE = 'autocode';
const START_MS = 60_000; // crash recovery may replay WAL
const OLD_SERVER_MS = 15_000; // a killed daemon's server may still be shutting down
const STOP_MS = 30_000;
const STEADY_MS = 10_000;
const LONGEST_PAUSE_MS = 5_000;

/** A server that was started; it accepts connections once `ready` resolves. */
interface LaunchedPostgres extends Postgres {
  ready: Promise<void>;
}

/** Starts the server, or takes the one that `url` names; resolves when it accepts connections. */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const { ready, ...postgres } = await launchPostgres(options);
  try {
    await ready;
  } catch (error) {
    await postgres.stop();
    throw error;
  }
  return postgres;
}

/** The same without the wait, for who has something else to do meanwhile. To be stopped also when it does not come up. */
export async function launchPostgres(options: PostgresOptions): Promise<LaunchedPostgres> {
  if (options.url !== undefined)
    return { url: options.url, supervised: false, ready: Promise.resolve(), stop: async () => {} };
  const { cluster, durable = true } = options;
  const programs = await findPostgres(options.installation);
  mkdirSync(dirname(cluster), { recursive: true, mode: 0o700 });
  const lock = await lockDirectory(dirname(cluster), 'postgres');
  const runtime = runtimeDirectory(dirname(cluster), 'postgres');
  const release = async () => {
    clearRuntime(runtime);
    removeRuntimeDirectory(runtime);
    await lock.release();
  };
  try {
    const user = postgresUser(cluster);
    giveDirectory(runtime, user);
    if (user.way === 'switched') giveDirectory(dirname(cluster), user); // it passes through on the real path
    const places = { installation: programs.root, cluster, runtime };
    await ensureCluster(programs, places, user, { durable });
    const supervisor = new PostgresSupervisor(
      places,
      user,
      serverSettings(programs.major, durable),
      options.log,
    );
    const stop = async () => {
      await supervisor.stop();
      await release();
    };
    return { url: socketUrl(runtime), supervised: true, ready: supervisor.start(), stop };
  } catch (error) {
    await release();
    throw error;
  }
}

// Small when idle; the memory that matters at this size is the page cache's.
function serverSettings(major: number, durable: boolean): string[] {
  const settings: Record<string, string> = {
    listen_addresses: '',
    unix_socket_permissions: '0700',
    max_connections: '60',
    shared_buffers: '32MB',
    jit: 'off',
    autovacuum_max_workers: '2',
    max_wal_size: '512MB',
    min_wal_size: '32MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(major >= 18 ? { io_method: 'sync' } : {}), // no I/O worker processes
    // The tests' server is one for many daemons.
    ...(durable
      ? {}
      : { max_connections: '300', fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }),
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** The address of a server of ours by the directory of its socket. */
export function socketUrl(runtime: string, database = DATABASE): string {
  return `postgresql://autocode@/${database}?host=${encodeURIComponent(runtime)}`;
}

class PostgresSupervisor {
  readonly #places: PostgresPlaces;
  readonly #user: PostgresUser;
  readonly #settings: string[];
  readonly #log: (line: string) => void;
  readonly #stopping = new AbortController();
  #child: ChildProcess | undefined;
  #output = ''; // the end of what the current child printed
  #watching: Promise<void> = Promise.resolve();

  constructor(
    places: PostgresPlaces,
    user: PostgresUser,
    settings: string[],
    log: (line: string) => void = () => {},
  ) {
    this.#places = places;
    this.#user = user;
    this.#settings = settings;
    this.#log = log;
  }

  /** Launches it at once; resolves when it accepts connections. */
  async start(): Promise<void> {
    await this.#launchUntilReady();
    this.#watching = this.#watch();
  }

  /** A fast shutdown: open transactions are rolled back, everything committed is on disk. */
  async stop(): Promise<void> {
    this.#stopping.abort(); // cancels a pending restart
    const child = this.#child;
    if (child !== undefined && isAlive(child)) {
      child.kill('SIGINT');
      const overdue = setTimeout(() => child.kill('SIGQUIT'), STOP_MS); // the next start recovers from the WAL
      await once(child, 'exit');
      clearTimeout(overdue);
    }
    await this.#watching;
  }

  async #watch(): Promise<void> {
    let pause = 0;
    while (!this.#stopping.signal.aborted) {
      const child = this.#child as ChildProcess;
      const since = Date.now();
      if (isAlive(child)) await once(child, 'exit');
      if (this.#stopping.signal.aborted) return;
      this.#log(
        `PostgreSQL ended unexpectedly (${child.signalCode ?? `exit code ${child.exitCode}`}); starting it again`,
      );
      pause = Date.now() - since > STEADY_MS ? 0 : Math.min(Math.max(pause * 2, 50), LONGEST_PAUSE_MS);
      await delay(pause === 50 ? 0 : pause, undefined, { signal: this.#stopping.signal }).catch(() => {});
      await this.#launchUntilReady().catch((error: Error) => this.#log(error.message));
    }
  }

  // Launches again while the remains of a killed server, ours or our predecessor's, are still in the way.
  async #launchUntilReady(): Promise<void> {
    const deadline = Date.now() + OLD_SERVER_MS;
    while (!this.#stopping.signal.aborted) {
      const child = this.#launch();
      if (await this.#ready(child)) return;
      const inTheWay = /postmaster\.pid" already exists|pre-existing shared memory block/.test(this.#output);
      if (this.#stopping.signal.aborted) return;
      if (!inTheWay || Date.now() > deadline) throw postgresError('PostgreSQL does not start', this.#output);
      this.#stopOrphan();
      await delay(50);
    }
  }

  #launch(): ChildProcess {
    const { file, args } = postgresCommand(this.#user, this.#places, 'postgres', (cluster) => [
      '-D',
      cluster,
      '-k',
      this.#places.runtime,
      ...this.#settings,
    ]);
    // A session of its own: Ctrl-C in the terminal reaches the daemon, which then stops it in order.
    const child = spawn(file, args, {
      env: POSTGRES_ENVIRONMENT,
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#output = '';
    child.on('error', (error) => (this.#output += `${file}: ${error.message}`));
    createInterface({ input: child.stderr }).on('line', (line) => {
      this.#output = `${this.#output}${line}\n`.slice(-4000);
      this.#log(line);
    });
    this.#child = child;
    return child;
  }

  // Whether the child came to accept connections; false when it ended before.
  async #ready(child: ChildProcess): Promise<boolean> {
    const closed = once(child, 'close').catch(() => {}); // after 'exit', when all its output is read
    const deadline = Date.now() + START_MS;
    while (isAlive(child) && !this.#stopping.signal.aborted) {
      if (await this.#databaseReady()) return true;
      if (Date.now() > deadline)
        throw postgresError(`PostgreSQL is not ready after ${START_MS / 1000} s`, this.#output);
      await delay(15);
    }
    if (!isAlive(child)) await closed;
    return false;
  }

  async #databaseReady(): Promise<boolean> {
    const client = new pg.Client({
      connectionString: socketUrl(this.#places.runtime, 'postgres'),
      connectionTimeoutMillis: 5_000,
    });
    client.on('error', () => {}); // the query in flight rejects
    try {
      await client.connect();
      const found = await client.query('select 1 from pg_database where datname = $1', [DATABASE]);
      if (found.rowCount === 0) await client.query(`create database ${DATABASE}`);
      return true;
    } catch {
      return false;
    } finally {
      await client.end().catch(() => {});
    }
  }

  // We hold the cluster's lock, so a server on it has lost its supervisor without noticing.
  #stopOrphan(): void {
    try {
      const pid = Number(readFileSync(join(this.#places.cluster, 'postmaster.pid'), 'utf8').split('\n')[0]);
      const isServer = readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'postgres';
      if (isServer && statSync(`/proc/${pid}`).uid === this.#user.uid) process.kill(pid, 'SIGINT');
    } catch {
      // It is gone already.
    }
  }
}

function isAlive(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}
