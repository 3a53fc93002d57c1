// Checks of the machine itself. Used by doctor.ts; none needs a running daemon.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { access, constants, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { totalmem, freemem, userInfo } from 'node:os';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { findPostgres } from '../../db/postgres-programs.ts';
import { bytes } from '../format.ts';
import { readDaemonFile } from '../../config/daemon-file.ts';
import type { Check, Finding } from './doctor.ts';

const GIB = 1024 ** 3;
const OLDEST_NODE = 24;
/** `git merge-tree --write-tree`, by which changes are merged, came with 2.38. */
const OLDEST_GIT: [number, number] = [2, 38];
const BUILT = Date.parse('2026-11-01');

export const checkNode: Check = {
  name: 'Node.js',
  run: () => {
    const major = Number(process.versions.node.split('.')[0]);
    if (major >= OLDEST_NODE) return { state: 'ok', detail: process.versions.node };
    return {
      state: 'fail',
      detail: `${process.versions.node} is too old`,
      remedy: 'Start it by ./autocode, which brings its own.',
    };
  },
};

export const checkGit: Check = {
  name: 'git',
  run: async () => {
    const install = 'Install it: apt install git';
    let version: string;
    try {
      version = (await promisify(execFile)('git', ['--version'])).stdout.trim().replace('git version ', '');
    } catch {
      return { state: 'fail', detail: 'is not there', remedy: install };
    }
    const [major = 0, minor = 0] = version.split('.').map(Number);
    const old = major < OLDEST_GIT[0] || (major === OLDEST_GIT[0] && minor < OLDEST_GIT[1]);
    if (old)
      return { state: 'fail', detail: `${version} is older than ${OLDEST_GIT.join('.')}`, remedy: install };
    const { stdout } = await promisify(execFile)('git', ['--exec-path']);
    if (existsSync(`${stdout.trim()}/git-http-backend`)) return { state: 'ok', detail: version };
    return {
      state: 'fail',
      detail: `${version}, without git-http-backend`,
      remedy: 'Install the whole package: apt install git',
    };
  },
};

export const checkUser: Check = {
  name: 'user',
  run: () => {
    const uid = process.getuid?.() ?? 0;
    const detail = `${userName()} (${uid})`;
    if (uid !== 0) return { state: 'ok', detail };
    return {
      state: 'warn',
      detail,
      remedy:
        'Agents of projects with isolation directory have the rights of the worker, here those of root.',
    };
  },
};

/** A uid without an entry in the password file has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'no name';
  }
}

export const checkDataDirectory: Check = {
  name: 'data directory',
  run: async ({ config: { dataDir } }) => {
    let existing = dataDir;
    while (!existsSync(existing)) existing = dirname(existing);
    try {
      await access(existing, constants.R_OK | constants.W_OK | constants.X_OK);
    } catch {
      return {
        state: 'fail',
        detail: `${existing} cannot be written by this user`,
        remedy: 'Let this user write there, or choose another with --set dataDir=PATH.',
      };
    }
    return { state: 'ok', detail: existing === dataDir ? dataDir : `${dataDir} (made at the first start)` };
  },
};

export const checkDisk: Check = {
  name: 'disk',
  run: async ({ config: { dataDir } }) => {
    let existing = dataDir;
    while (!existsSync(existing)) existing = dirname(existing);
    const { bavail, bsize, blocks } = await statfs(existing);
    const free = bavail * bsize;
    const detail = `${bytes(free)} of ${bytes(blocks * bsize)} free`;
    const remedy = 'Free some space: repositories, logs and agents lie there.';
    if (free < GIB) return { state: 'fail', detail, remedy };
    return free < 10 * GIB ? { state: 'warn', detail, remedy } : { state: 'ok', detail };
  },
};

export const checkMemory: Check = {
  name: 'memory',
  run: ({ config }) => {
    const detail = `${bytes(totalmem())}, ${bytes(freemem())} free`;
    const wanted = (1 + config.worker.concurrency) * GIB;
    if (!config.worker.local || totalmem() >= wanted) return { state: 'ok', detail };
    return {
      state: 'warn',
      detail,
      remedy: `${config.worker.concurrency} runs at a time want ${bytes(wanted)}; lower worker.concurrency.`,
    };
  },
};

export const checkPostgres: Check = {
  name: 'PostgreSQL',
  run: async ({ config: { database } }) => {
    if (database.url !== undefined) return await checkServer(database.url);
    const { major, root } = await findPostgres();
    return { state: 'ok', detail: `${major}, ${root}` };
  },
};

async function checkServer(url: string): Promise<Finding> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
    const { rows } = await client.query<{ version: string }>(
      "select current_setting('server_version') as version",
    );
    return { state: 'ok', detail: `${rows[0]?.version ?? ''} at ${new URL(url).host}` };
  } catch (error) {
    return {
      state: 'fail',
      detail: `${new URL(url).host} does not answer: ${(error as Error).message}`,
      remedy: 'Start that server, or correct DATABASE_URL or database.url.',
    };
  } finally {
    await client.end().catch(() => {});
  }
}

export const checkPorts: Check = {
  name: 'ports',
  run: async ({ config }) => {
    if (readDaemonFile(config.dataDir) !== undefined)
      return { state: 'ok', detail: 'in use by the running daemon' };
    const taken: string[] = [];
    for (const part of ['api', 'gateway'] as const) {
      const { host, port } = config[part];
      if (port !== 'auto' && !(await isFree(host, port))) taken.push(`${part}.port ${port}`);
    }
    if (taken.length === 0)
      return { state: 'ok', detail: `api ${config.api.port}, gateway ${config.gateway.port}` };
    return {
      state: 'fail',
      detail: `${taken.join(' and ')} cannot be taken`,
      remedy: 'Stop the program that has it (`ss -ltnp` names it), or choose another port or auto.',
    };
  },
};

async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

export const checkClock: Check = {
  name: 'clock',
  run: () => {
    const now = new Date();
    if (now.getTime() > BUILT) return { state: 'ok', detail: now.toISOString().slice(0, 19) };
    return {
      state: 'fail',
      detail: `says ${now.toISOString().slice(0, 19)}, before this version was made`,
      remedy: 'Set the clock: certificates and tokens depend on it.',
    };
  },
};
