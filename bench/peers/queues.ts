// The two queues that dispatch is measured beside, on the same PostgreSQL: a bare SKIP LOCKED loop, and graphile-worker.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';

/** A queue under test: `add` returns when the job is stored; `taken` is called when it is in a worker's hands. */
export interface Queue {
  add(): Promise<void>;
  addMany(count: number): Promise<void>;
  start(taken: () => void, concurrency: number): Promise<void>;
  stop(): Promise<void>;
}

/** One job a claim, woken by NOTIFY, with a slow poll behind. */
export async function bareQueue(url: string): Promise<Queue> {
  const pool = new pg.Pool({ connectionString: url, max: 20 });
  await pool.query(
    `create table job (id bigint generated always as identity primary key, taken boolean not null default false)`,
  );
  await pool.query(`create index on job (id) where not taken`);
  const listener = new pg.Client({ connectionString: url });
  await listener.connect();
  let stopped = false;
  const claim = {
    name: 'claim',
    text: `update job set taken = true where id = (select id from job where not taken order by id limit 1 for update skip locked) returning id`,
  };
  return {
    add: async () =>
      void (await pool.query(`with added as (insert into job default values) select pg_notify('job', '')`)),
    addMany: async (count) =>
      void (await pool.query(`insert into job (taken) select false from generate_series(1, $1)`, [count])),
    async start(taken, concurrency) {
      let wake: () => void = () => {};
      listener.on('notification', () => wake());
      await listener.query('listen job');
      const loop = async () => {
        while (!stopped) {
          const woken = new Promise<void>((resolve) => {
            const before = wake;
            const backstop = setTimeout(resolve, 1000);
            wake = () => (before(), clearTimeout(backstop), resolve());
          });
          while ((await pool.query(claim)).rowCount === 1) taken();
          await woken;
          wake = () => {};
        }
      };
      for (let i = 0; i < concurrency; i++) void loop();
    },
    async stop() {
      stopped = true;
      await listener.query(`notify job`);
      await listener.end();
      await pool.end();
    },
  };
}

interface Graphile {
  run(
    options: object,
  ): Promise<{ addJob(name: string, payload: object): Promise<unknown>; stop(): Promise<void> }>;
  runMigrations(options: object): Promise<void>;
}

/** graphile-worker with its local queue and batched completion. */
export async function graphileQueue(url: string): Promise<Queue> {
  execFileSync(join(import.meta.dirname, 'install'));
  const entry = join(import.meta.dirname, '../../.runtime/peers/node_modules/graphile-worker/dist/index.js');
  const graphile = (await import(pathToFileURL(entry).href)) as Graphile;
  const quiet = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
  const { Logger } = graphile as unknown as {
    Logger: new (factory: () => (level: string, message: string) => void) => unknown;
  };
  const logger = new Logger(() => (level, message) => quiet[level as keyof typeof quiet]?.() ?? void message);
  await graphile.runMigrations({ connectionString: url, logger });
  const pool = new pg.Pool({ connectionString: url, max: 20 });
  let runner: Awaited<ReturnType<Graphile['run']>>;
  return {
    add: async () => void (await pool.query(`select graphile_worker.add_job('noop', '{}'::json)`)),
    addMany: async (count) =>
      void (await pool.query(
        `select graphile_worker.add_job('noop', '{}'::json) from generate_series(1, $1)`,
        [count],
      )),
    async start(taken, concurrency) {
      const worker = {
        connectionString: url,
        concurrentJobs: concurrency,
        maxPoolSize: 20,
        localQueue: { size: 500 },
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
      };
      runner = await graphile.run({
        preset: { worker },
        taskList: { noop: () => taken() },
        noHandleSignals: true,
        logger,
      });
    },
    async stop() {
      await runner.stop();
      await pool.end();
    },
  };
}
