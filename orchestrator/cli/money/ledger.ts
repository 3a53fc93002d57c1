// `autocode ledger list|verify|add`.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { LedgerEntry, LedgerVerified, type LedgerInput } from '../../../protocol/budget.ts';
import { connect } from '../client.ts';
import { Exit, type GlobalArgs } from '../command.ts';
import { money, timestamp } from '../format.ts';
import { print, printJson, table } from '../output.ts';
import { parseMoney } from './amount.ts';

/** Lists entries after a number. */
export async function listEntries(args: GlobalArgs & { after: number; limit: number }): Promise<void> {
  const { after, limit } = args;
  const entries = await connect(args).get('/ledger', z.array(LedgerEntry), { after, limit });
  if (args.json) return printJson(entries);
  print(entries.length === 0 ? 'No entries.' : drawEntries(entries));
}

/** Checks the whole chain; exit code 1 when something is wrong. */
export async function verifyLedger(args: GlobalArgs): Promise<void> {
  const { entries, hash, wrong } = await connect(args).get('/ledger/verification', LedgerVerified);
  if (args.json) printJson({ entries, hash, wrong });
  else if (wrong === null)
    print(`${entries} entries, none changed or missing. Hash of the last one: ${hash || '-'}`);
  else print(`The ledger is wrong after ${entries} entries: ${wrong}.`);
  if (wrong !== null) throw new Exit(1);
}

interface AddArgs extends GlobalArgs {
  kind: LedgerInput['kind'];
  amount: string;
  debit: string;
  credit: string;
  memo: string;
}

/** Writes an adjustment, a refund or a purchase. */
export async function addEntry(args: AddArgs): Promise<void> {
  const { kind, debit, credit, memo } = args;
  const input: LedgerInput = { id: randomUUID(), kind, debit, credit, memo, amount: parseMoney(args.amount) };
  const entry = await connect(args).send('POST', '/ledger', LedgerEntry, input);
  if (args.json) return printJson(entry);
  print(drawEntries([entry]));
}

function drawEntries(entries: LedgerEntry[]): string {
  return table(entries, [
    { title: 'ENTRY', value: ({ seq }) => String(seq), align: 'right' },
    { title: 'AT', value: ({ at }) => timestamp(at) },
    { title: 'KIND', value: ({ kind }) => kind },
    { title: 'AMOUNT', value: ({ amount, currency }) => money(amount, currency), align: 'right' },
    { title: 'DEBIT', value: ({ debit }) => debit },
    { title: 'CREDIT', value: ({ credit }) => credit },
    { title: 'DETAIL', value: ({ detail }) => detail },
  ]);
}
