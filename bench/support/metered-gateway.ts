// Autocode's gateway as the product runs it, in a process of its own: runs with their keys, budgets in several scopes, prices.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runTokens } from '../../orchestrator/access/tokens.ts';
import { connect } from '../../orchestrator/db/connect.ts';
import type { Served } from '../peers/gateways.ts';
import { freePort } from '../../test/support/ports.ts';
import { start } from './processes.ts';
import { makeRuns } from './runs.ts';

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
  const { pid, stop } = await start([AUTOCODE, 'up', '--quiet', '--config', file], {
    answersAt: `http://127.0.0.1:${port}/`,
  });
  const db = connect({ url: databaseUrl, poolSize: 2 });
  const tokensOf = runTokens(Buffer.from('the key of a server for a benchmark'));
  const keys: string[] = [];
  for (const { id } of await makeRuns(db, runs)) keys.push((await tokensOf(db, id)).gatewayKey);
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
