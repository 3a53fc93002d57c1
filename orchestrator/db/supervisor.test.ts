import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';
import { processStartTime } from '../config/daemon-file.ts';
import { connect, transaction } from './connect.ts';
import { startPostgres } from './supervisor.ts';
import type { Postgres } from './supervisor.ts';
import { withPostgres } from './with-postgres.ts';

function temporaryDirectory(): { path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'autocode-postgres-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function postmasterPid(cluster: string): number {
  return Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0]);
}

async function eventually(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 20_000; !condition(); await delay(10)) {
    if (Date.now() > deadline) throw new Error('did not happen within 20 s');
  }
}

async function query(postgres: Pick<Postgres, 'url'>, sql: string): Promise<unknown[]> {
  const db = connect({ url: postgres.url, poolSize: 1 });
  try {
    return await transaction(db, async (tx) => (await tx.query<Record<string, unknown>>(sql)).rows);
  } finally {
    await db.end();
  }
}

test('a server starts below any path, is back after kill -9 with all that was committed, and stops without a trace', async () => {
  using directory = temporaryDirectory();
  const cluster = join(directory.path, 'a path with spaces'.padEnd(200, 'x'), 'postgres');
  const postgres = await startPostgres({ cluster });
  await query(postgres, 'create table t as select generate_series(1, 100) as n');
  const killed = postmasterPid(cluster);
  process.kill(killed, 'SIGKILL');
  await eventually(() => existsSync(join(cluster, 'postmaster.pid')) && postmasterPid(cluster) !== killed);
  assert.deepEqual(await query(postgres, 'select count(*) from t'), [{ count: 100 }]);
  const runtime = decodeURIComponent(postgres.url.split('host=')[1] ?? '');
  const last = postmasterPid(cluster);
  await postgres.stop();
  assert.equal(processStartTime(last), undefined);
  assert.ok(!existsSync(runtime), runtime);

  const again = await startPostgres({ cluster });
  assert.deepEqual(await query(again, 'select count(*) from t'), [{ count: 100 }]);
  await again.stop();
});

test('a stop right after a crash cancels the restart', async () => {
  using directory = temporaryDirectory();
  const cluster = join(directory.path, 'postgres');
  const postgres = await startPostgres({ cluster, durable: false });
  process.kill(postmasterPid(cluster), 'SIGKILL');
  await postgres.stop();
  const pid = existsSync(join(cluster, 'postmaster.pid')) ? postmasterPid(cluster) : -1;
  assert.equal(processStartTime(pid), undefined);
});

test('a second server on one directory is refused while the first runs, and may start when it is stopped', async () => {
  using directory = temporaryDirectory();
  const cluster = join(directory.path, 'postgres');
  const first = await startPostgres({ cluster, durable: false });
  await assert.rejects(startPostgres({ cluster }), { code: 'ERR_DAEMON_RUNNING' });
  assert.deepEqual(await withPostgres({ cluster }, (url) => query({ url }, 'select 1 as one')), [{ one: 1 }]);
  await first.stop();
  assert.deepEqual(
    await withPostgres({ cluster, durable: false }, (url) => query({ url }, 'select 1 as one')),
    [{ one: 1 }],
  );
});

test('when the daemon is killed its server ends too, and the next start finds everything', async () => {
  using directory = temporaryDirectory();
  const cluster = join(directory.path, 'postgres');
  const program = `const { startPostgres } = await import(${JSON.stringify(join(import.meta.dirname, 'supervisor.ts'))});
    await startPostgres({ cluster: ${JSON.stringify(cluster)} }); process.send('ready');`;
  const daemon = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [first] = (await Promise.race([once(daemon, 'message'), once(daemon, 'exit')])) as unknown[];
  assert.equal(first, 'ready');
  const orphan = postmasterPid(cluster);
  daemon.kill('SIGKILL');
  await once(daemon, 'exit');
  const postgres = await startPostgres({ cluster }); // at once: the old server is still shutting down
  assert.notEqual(postmasterPid(cluster), orphan);
  assert.deepEqual(await query(postgres, 'select 1 as one'), [{ one: 1 }]);
  await postgres.stop();
});

test('DATABASE_URL is taken as it is', async () => {
  using directory = temporaryDirectory();
  const url = 'postgresql://someone@example/db';
  const postgres = await startPostgres({ url, cluster: join(directory.path, 'postgres') });
  assert.deepEqual([postgres.url, postgres.supervised], [url, false]);
  await postgres.stop();
  assert.ok(!existsSync(join(directory.path, 'postgres')));
});

test('what cannot be started is said with what to do, and nothing is left', async () => {
  using directory = temporaryDirectory();
  const cluster = join(directory.path, 'postgres');
  mkdirSync(cluster);
  writeFileSync(join(cluster, 'a-file'), '');
  await assert.rejects(startPostgres({ cluster }), /holds files, but no PostgreSQL database/);
  writeFileSync(join(cluster, 'PG_VERSION'), '14\n');
  await assert.rejects(startPostgres({ cluster }), /made by PostgreSQL 14/);
  await assert.rejects(startPostgres({ cluster, installation: directory.path }), {
    code: 'ERR_DATABASE',
    message: /No `postgres`/,
  });

  const broken = join(directory.path, 'broken/postgres');
  await (await startPostgres({ cluster: broken, durable: false })).stop();
  writeFileSync(join(broken, 'postgresql.conf'), 'nonsense = here\n');
  await assert.rejects(startPostgres({ cluster: broken }), { code: 'ERR_DATABASE', message: /nonsense/ });
});

test('an interrupted initdb is begun anew', async () => {
  using directory = temporaryDirectory();
  const cluster = join(directory.path, 'postgres');
  mkdirSync(`${cluster}.initialising`);
  writeFileSync(join(`${cluster}.initialising`, 'PG_VERSION'), '18\n');
  const postgres = await startPostgres({ cluster, durable: false });
  await postgres.stop();
  assert.ok(!existsSync(`${cluster}.initialising`));
});
