// What happened before a test began: money that was spent, requests to the outside. Used by test/web.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { writeCharges } from '../../orchestrator/budget/charge.ts';
import { charge, payers } from '../../orchestrator/budget/testing/books.ts';
import { transaction } from '../../orchestrator/db/connect.ts';
import type { TestDatabase } from './database.ts';

const TRICKS = '<img src=x onerror="window.tricked=1"> \u202Etxt.exe';

/** Calls of models that two projects have paid for. */
export async function spend({ pool }: TestDatabase): Promise<void> {
  const charges = [
    charge({ money: 2_500_000 }),
    charge({
      money: 700_000,
      model: 'vllm/large',
      payers: payers({ project: 'billing', task: '8', run: '8-1' }),
    }),
  ];
  await transaction(
    pool,
    async (tx) => await writeCharges(tx, charges, { timeZone: 'UTC', currency: 'USD' }),
  );
}

/** Requests that the egress proxy has let out and not. */
export function recordTraffic(dataDir: string): void {
  const at = new Date().toISOString();
  const record = {
    event: 'close',
    at,
    run: '1-1',
    task: 1,
    project: 'shop',
    method: 'GET',
    scheme: 'https',
    port: 443,
  };
  const spool = path.join(dataDir, 'logs/traffic');
  mkdirSync(spool, { recursive: true });
  const records = [
    {
      ...record,
      id: '1',
      host: 'a.example',
      url: 'https://a.example/package',
      decision: 'allowed',
      bytesIn: 2_500_000,
      status: 200,
    },
    {
      ...record,
      id: '2',
      host: 'b.example',
      url: `https://b.example/${TRICKS}`,
      decision: 'denied',
      allowedBy: 'allow host=b.example',
    },
  ];
  const lines = records.map((each) => `${JSON.stringify(each)}\n`).join('');
  writeFileSync(path.join(spool, `${at.slice(0, 13)}.jsonl`), lines);
}
