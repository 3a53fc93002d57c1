// What holds after any fault, read from the database, the disk and the process table, past all APIs. Used by the fault tests.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { runtimeDirectory } from '../../../orchestrator/config/runtime-directory.ts';
import { socketUrl } from '../../../orchestrator/db/supervisor.ts';
import { namesIn, readOrEmpty } from './moments.ts';

export interface Scene {
  dataDir: string;
  kept: string;
  /** Of its workers; that of the local worker when left out. */
  stateDirs?: string[];
}

/** Asks the appliance's own database, again where it was killed meanwhile. */
export async function query<T extends object>(
  scene: Pick<Scene, 'dataDir'>,
  text: string,
  values: unknown[] = [],
): Promise<T[]> {
  return await untilUp(async () => await queryOnce<T>(scene, text, values));
}

/** Asks it once. */
export async function queryOnce<T extends object>(
  { dataDir }: Pick<Scene, 'dataDir'>,
  text: string,
  values: unknown[] = [],
): Promise<T[]> {
  const client = new pg.Client({
    connectionString: socketUrl(runtimeDirectory(path.join(dataDir, 'postgres'), 'postgres')),
  });
  client.on('error', () => {}); // what is under way fails by itself
  try {
    await client.connect();
    return (await client.query(text, values)).rows as T[];
  } finally {
    await client.end().catch(() => {});
  }
}

/** Repeats a call while daemon or database are down on purpose. */
export async function untilUp<T>(call: () => Promise<T>): Promise<T> {
  for (const deadline = performance.now() + 30_000; ; await delay(50)) {
    try {
      return await call();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}

/** The task is completed once: one run succeeded, one change is open, and its branch has one commit over its base. */
export async function completedOnce(scene: Scene, task: number, origin: string): Promise<void> {
  const [found] = await query<{
    state: string;
    reason: string;
    succeeded: number;
    changes: number;
    ends: number;
  }>(
    scene,
    `select state, reason, (select count(*)::int from run where task = t.id and state = 'succeeded') as succeeded,
       (select count(*)::int from change where task = t.id and state = 'open') as changes,
       (select count(*)::int from event where task = t.id and kind = 'task.state' and data->>'to' in ('completed', 'failed', 'cancelled')) as ends
     from task t where id = $1`,
    [task],
  );
  assert.deepEqual(
    { ...found, reason: '' },
    { state: 'completed', reason: '', succeeded: 1, changes: 1, ends: 1 },
    `task ${task}: ${found?.reason}`,
  );
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', origin, ...args], { encoding: 'utf8' }).trim();
  const branches = git('for-each-ref', '--format=%(refname:short)', `refs/heads/autocode/${task}-*`).split(
    '\n',
  );
  assert.equal(branches.length, 1, `branches of task ${task}: ${branches.join(', ')}`);
  assert.equal(git('rev-list', '--count', `main..${branches[0]}`), '1');
  assert.equal(git('show', `${branches[0]}:answer`), '42');
}

/** Nothing is held, open, running or lying about that belongs to a run that ended. */
export async function nothingLeft(scene: Scene): Promise<void> {
  const left = await query<{ what: string; of: string }>(
    scene,
    `select 'live run' as what, id as of from run where finished_at is null
     union all select 'claim of a repository', run from repository_claim where released_at is null
     union all select 'open log', run from log_stream where state = 'open'
     union all select 'token without an end', run from token where run is not null and revoked_at is null and expires_at is null
     union all select 'task that has not ended', id::text from task where finished_at is null`,
  );
  assert.deepEqual(left, []);
  const stateDirs = scene.stateDirs ?? [path.join(scene.dataDir, 'worker')];
  for (const stateDir of stateDirs) {
    assert.deepEqual(namesIn(path.join(stateDir, 'runs')), [], `directories of runs in ${stateDir}`);
    const claims = path.join(stateDir, 'claims');
    const workers = namesIn(claims).map((name) => readOrEmpty(path.join(claims, name)));
    assert.equal(new Set(workers).size, workers.length, `one open poll of a worker at most in ${stateDir}`);
  }
  assert.deepEqual(lockFiles(scene.dataDir, stateDirs), [], 'lock files');
}

/**
 * Lock files and half packs below the mirrors and the object caches. What a git that was killed had received and not taken
 * yet is not told from what one still receives, but by its age: the mirror removes it after a day.
 */
function lockFiles(dataDir: string, stateDirs: string[]): string[] {
  const caches = stateDirs.map((stateDir) => path.join(stateDir, 'cache'));
  return [path.join(dataDir, 'worker-artifacts/projects'), ...caches.filter(existsSync)].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\/[^/]+\.git\/.*(\.lock$|\/tmp_[^/]*$)/.test(`/${name}`))
      .filter((name) => !/\/objects\/tmp_objdir-incoming-/.test(`/${name}`))
      .map((name) => path.join(folder, name)),
  );
}

/**
 * What the orchestrator holds of each log is what the runner wrote: all of it where the log is complete, else from its
 * beginning on as much as was acknowledged. Answers with the number of streams compared.
 */
export async function logsAreTrue({ dataDir, kept }: Scene): Promise<number> {
  const streams = await query<{
    run: string;
    stream: string;
    bytes: string;
    state: string;
    sha256: string | null;
  }>({ dataDir }, 'select run, stream, bytes, state, sha256 from log_stream');
  for (const { run, stream, bytes, state, sha256 } of streams) {
    const name = `${run}.${stream}.log`;
    const [task = ''] = run.split('-');
    const stored =
      Number(bytes) === 0
        ? Buffer.alloc(0)
        : readFileSync(path.join(dataDir, 'logs/worker', task, name)).subarray(0, Number(bytes));
    assert.equal(stored.length, Number(bytes), `${name}: acknowledged bytes are on disk`);
    const written = Buffer.from(readOrEmpty(path.join(kept, name)));
    if (state === 'complete') {
      assert.equal(createHash('sha256').update(stored).digest('hex'), sha256, `${name}: digest`);
      assert.deepEqual(stored, written, `${name}: all that the runner wrote`);
    } else {
      assert.deepEqual(
        stored,
        written.subarray(0, stored.length),
        `${name}: what the runner wrote, from its beginning`,
      );
    }
  }
  return streams.length;
}
