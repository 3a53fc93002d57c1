// `autocode purchase …`: definitions. Handlers are in ../money/purchases.ts.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';
import { PURCHASE_STATES } from './choices.ts';

const handlers = async () => await import('../money/purchases.ts');
const one = (yargs: Argv) =>
  yargs.positional('purchase', { type: 'number', demandOption: true, describe: 'Its number' });

export const purchaseNoun: Noun = {
  noun: 'purchase',
  describe: 'Purchases, paid with a card or wallet that nobody sees (docs/purchases.md)',
  verbs: [
    verb({
      command: 'list',
      aliases: ['ls'],
      describe: 'List purchases, the newest first',
      examples: [['purchase list --state proposed', '']],
      builder: (yargs: Argv) =>
        yargs.option('state', {
          choices: PURCHASE_STATES,
          requiresArg: true,
          describe: 'Of this state only',
        }),
      load: async () => (await handlers()).listPurchases,
    }),
    verb({
      command: 'propose <payee>',
      describe: 'Propose a purchase; nothing is paid before somebody approves it',
      examples: [
        [
          'purchase propose https://pay.example/v1/orders --body order.json --amount 12 --memo "domain shop.example"',
          '',
        ],
      ],
      epilogue: 'The body has {{card.number}} and the like where they are to stand: docs/purchases.md.',
      builder: (yargs: Argv) =>
        yargs
          .positional('payee', { type: 'string', demandOption: true, describe: 'Its address, over https' })
          .option('body', {
            type: 'string',
            demandOption: true,
            requiresArg: true,
            describe: 'File with the body; - is stdin',
          })
          .option('form', {
            type: 'boolean',
            default: false,
            describe: 'The body is a form, application/x-www-form-urlencoded, instead of JSON',
          })
          .option('amount', {
            type: 'string',
            demandOption: true,
            requiresArg: true,
            describe: 'In the currency of the ledger, as 12.50',
          })
          .option('memo', {
            type: 'string',
            demandOption: true,
            requiresArg: true,
            describe: 'What it is for',
          })
          .option('project', { type: 'string', requiresArg: true, describe: 'In whose budgets it counts' }),
      load: async () => (await handlers()).proposePurchase,
    }),
    verb({
      command: 'approve <purchase>',
      describe: 'Pay: within the budgets and the egress policy, once',
      examples: [['purchase approve 3', '']],
      builder: one,
      load: async () => (await handlers()).approvePurchase,
    }),
    verb({
      command: 'reject <purchase>',
      describe: 'Do not pay',
      examples: [['purchase reject 3', '']],
      builder: one,
      load: async () => (await handlers()).rejectPurchase,
    }),
    verb({
      command: 'resolve <purchase>',
      describe: 'Say what became of one that nobody knows of, after a look at the payee',
      examples: [
        ['purchase resolve 3 --paid', 'it is entered in the ledger'],
        ['purchase resolve 3 --no-paid', 'its budgets get the money back'],
      ],
      builder: (yargs: Argv) =>
        one(yargs).option('paid', { type: 'boolean', demandOption: true, describe: 'Whether it was paid' }),
      load: async () => (await handlers()).resolvePurchase,
    }),
  ],
};
