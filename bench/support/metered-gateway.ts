// Autocode's gateway as the product runs it, in a process of its own: runs with their keys, budgets in several scopes, prices.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runTokens } from '../../orchestrator/access/tokens.ts';
import { setBudget } from '../../orchestrator/budget/budgets.ts';
import { connect, type Database } from '../../orchestrator/db/connect.ts';
import type { Served } from '../peers/gateways.ts';
import { answers, freePort, start } from './processes.ts';

export interface MeteredGatewayOptions {
  directory: string;
  databaseUrl: string;
  postgresPid: number;
  /** Port of the engine. */
  engine: number;
  /** One key each. */
  runs: number;
}

const AUTOCODE = join(import.meta.dirname, '../../autocode');
const MUCH = 1e14;

/** Starts it; each stream calls with the key of a run of its own. */
export async function meteredGateway(options: MeteredGatewayOptions): Promise<Served> {
  const { directory, databaseUrl, postgresPid, engine, runs } = options;
  const port = await freePort();
  const models = [{ name: 'bench', price: { input: 3, cached: 0.3, output: 15 } }];
  const config = {
    dataDir: join(directory, 'data'),
    roles: ['gateway'],
    database: { url: databaseUrl },
    gateway: { port, guards: { callsPerRun: 1_000_000, tokensPerRun: 1e12 } },
    models: { engines: [{ kind: 'upstream', name: 'mock', url: `http://127.0.0.1:${engine}`, models }] },
  };
  const file = join(directory, 'autocode.yaml');
  writeFileSync(file, JSON.stringify(config));
  const { pid, stop } = await start([AUTOCODE, 'up', '--quiet', '--config', file]);
  await answers(`http://127.0.0.1:${port}/`, 30);
  const db = connect({ url: databaseUrl, poolSize: 2 });
  const keys = await keysOfRuns(db, runs);
  await db.end();
  return {
    name: 'Autocode',
    url: `http://127.0.0.1:${port}/v1/chat/completions`,
    model: 'mock/bench',
    headers: (stream) => ({ authorization: `Bearer ${keys[stream]}` }),
    pids: [pid, postgresPid],
    stop,
  };
}

/** Runs that work, ten a project, under budgets of all kinds that never bind. */
async function keysOfRuns(db: Database, runs: number): Promise<string[]> {
  await db.query(`insert into project (name) select 'bench-' || i from generate_series(1, $1) i`, [
    Math.ceil(runs / 10),
  ]);
  await db.query(
    `insert into task (project, title, body, agent, model, state, order_key, attempt, created_by)
     select p.id, 'task', '', 'command', 'mock/bench', 'running', now(), 1, 'person-' || i % 7 from project p, generate_series(1, 10) i`,
  );
  await db.query(
    `insert into run (id, task, fence, state, worker, claim_id, agent, model, isolation, deadline)
     select id || '-1', id, 1, 'working', 'worker-' || id % 4, gen_random_uuid(), agent, model, 'directory', now() + interval '1 day' from task`,
  );
  const budgets = [
    { scope: 'appliance', subject: '', period: 'day', unit: 'money' },
    { scope: 'project', subject: '*', period: 'month', unit: 'money' },
    { scope: 'person', subject: '*', period: 'week', unit: 'money' },
    { scope: 'run', subject: '*', period: 'total', unit: 'tokens' },
  ] as const;
  for (const budget of budgets) await setBudget(db, { ...budget, amount: MUCH }, 'bench');
  const tokensOf = runTokens(Buffer.from('the key of a server for a benchmark'));
  const { rows } = await db.query<{ id: string }>('select id from run order by task limit $1', [runs]);
  return await Promise.all(rows.map(async ({ id }) => (await tokensOf(db, id)).gatewayKey));
}
