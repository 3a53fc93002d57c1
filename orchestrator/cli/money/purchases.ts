// `autocode purchase …` by the daemon's API.
import { z } from 'zod';
import { Purchase, type PurchaseState } from '../../../protocol/purchase.ts';
import { connect } from '../client.ts';
import { Exit, type GlobalArgs } from '../command.ts';
import { money, printable, relativeTime } from '../format.ts';
import { print, printJson, table } from '../output.ts';
import { readWhole } from '../secret-value.ts';
import { parseMoney } from './amount.ts';
import { currencyOf } from './currency.ts';

type OfOne = GlobalArgs & { purchase: number };

/** Lists purchases, the newest first. */
export async function listPurchases(args: GlobalArgs & { state: PurchaseState | undefined }): Promise<void> {
  const client = connect(args);
  const purchases = await client.get('/purchases', z.array(Purchase), { state: args.state });
  if (args.json) return printJson(purchases);
  print(purchases.length === 0 ? 'No purchases.' : draw(purchases, await currencyOf(client)));
}

interface ProposeArgs extends GlobalArgs {
  payee: string;
  body: string;
  form: boolean;
  amount: string;
  memo: string;
  project: string | undefined;
}

/** Proposes one. */
export async function proposePurchase(args: ProposeArgs): Promise<void> {
  const { payee: url, memo, project, form } = args;
  const contentType = form ? 'application/x-www-form-urlencoded' : 'application/json';
  const body = readWhole(args.body).trimEnd();
  const proposal = { url, contentType, body, amount: parseMoney(args.amount), memo, project };
  await tell(args, '', proposal);
}

/** Pays one; exit code 1 where it was not paid. */
export async function approvePurchase(args: OfOne): Promise<void> {
  const { state } = await tell(args, `/${args.purchase}/approve`);
  if (state !== 'paid') throw new Exit(1);
}

/** Says that one is not to be paid. */
export async function rejectPurchase(args: OfOne): Promise<void> {
  await tell(args, `/${args.purchase}/reject`);
}

/** Says what became of one. */
export async function resolvePurchase(args: OfOne & { paid: boolean }): Promise<void> {
  await tell(args, `/${args.purchase}/resolve`, { paid: args.paid });
}

async function tell(args: GlobalArgs, path: string, body?: object): Promise<Purchase> {
  const client = connect(args);
  const purchase = await client.send('POST', `/purchases${path}`, Purchase, body);
  if (args.json) printJson(purchase);
  else print(draw([purchase], await currencyOf(client)));
  return purchase;
}

function draw(purchases: Purchase[], currency: string): string {
  return table(purchases, [
    { title: 'ID', value: ({ id }) => String(id), align: 'right' },
    { title: 'STATE', value: ({ state }) => state },
    { title: 'AMOUNT', value: ({ amount }) => money(amount, currency), align: 'right' },
    { title: 'PAYEE', value: ({ url }) => new URL(url).host },
    { title: 'PROJECT', value: ({ project }) => project ?? '–' },
    { title: 'BY', value: ({ proposedBy, proposedAt }) => `${proposedBy}, ${relativeTime(proposedAt)}` },
    { title: 'MEMO', value: ({ memo }) => printable(memo) },
    { title: 'ANSWER', value: ({ status, reason }) => printable([status, reason].filter(Boolean).join(' ')) },
  ]);
}
