// `autocode budget|usage|price|ledger …`: definitions. Handlers are in ../money/.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';
import { GROUPINGS, PERIODS } from './choices.ts';

const OWNER = 'appliance, or project:, worker:, agent:, person:, task: or run: with a name; * is each';
const DAY = 'As 2026-01-31';

const ownerOf = (yargs: Argv) =>
  yargs.positional('owner', { type: 'string', demandOption: true, describe: OWNER });

const byOption = (yargs: Argv) =>
  yargs.option('by', { choices: GROUPINGS, default: 'project' as const, describe: 'What to sum up by' });

export const budgetNoun: Noun = {
  noun: 'budget',
  describe: 'What may be spent, and what was',
  verbs: [
    verb({
      command: 'set <owner>',
      describe: 'Set what may be spent; calls that would pass it are refused',
      examples: [
        ['budget set appliance --per month --money 500', ''],
        ['budget set project:shop --per day --money 25 --tokens 40M', ''],
        ["budget set 'run:*' --per total --money 2", 'each run that has none of its own'],
        ['budget set worker:vm-2 --per day --gpu 8h', ''],
      ],
      builder: (yargs: Argv) =>
        ownerOf(yargs)
          .option('per', {
            choices: PERIODS,
            demandOption: true,
            describe: 'Period; days begin at midnight of budget.timeZone, weeks on Monday',
          })
          .option('money', { type: 'string', requiresArg: true, describe: 'Amount, as 25 or 25.50' })
          .option('currency', {
            type: 'string',
            requiresArg: true,
            describe: "Of the amount, when it is not the ledger's",
          })
          .option('tokens', {
            type: 'string',
            requiresArg: true,
            describe: 'In and out, as 900, 250k or 40M',
          })
          .option('gpu', { type: 'string', requiresArg: true, describe: 'GPU time, as 90s, 30m or 8h' }),
      load: async () => (await import('../money/budgets.ts')).setBudgets,
    }),
    verb({
      command: 'list',
      aliases: ['ls'],
      describe: 'List budgets with what is spent and held of them',
      examples: [['budget list --watch', '']],
      builder: (yargs: Argv) =>
        yargs.option('watch', { type: 'boolean', default: false, describe: 'Draw again as it changes' }),
      load: async () => (await import('../money/budgets.ts')).listBudgets,
    }),
    verb({
      command: 'show <owner>',
      describe: 'Show the budgets that bind one owner',
      examples: [['budget show project:shop', '']],
      builder: ownerOf,
      load: async () => (await import('../money/budgets.ts')).showBudget,
    }),
    verb({
      command: 'remove <id>',
      aliases: ['rm'],
      describe: 'Remove a budget',
      examples: [['budget remove 3', '']],
      builder: (yargs: Argv) =>
        yargs.positional('id', { type: 'number', demandOption: true, describe: 'As `budget list` shows it' }),
      load: async () => (await import('../money/budgets.ts')).removeBudget,
    }),
    verb({
      command: 'apply',
      describe: 'Bring budgets to those of a file that can be reviewed',
      examples: [
        ['budget apply -f financial/budgets/2027.yaml --dry-run', 'show the difference'],
        ['budget apply -f financial/budgets/2027.yaml --prune', 'and remove all others'],
      ],
      builder: (yargs: Argv) =>
        yargs
          .option('file', {
            alias: 'f',
            type: 'string',
            demandOption: true,
            requiresArg: true,
            describe: 'YAML file; - for stdin',
          })
          .option('prune', {
            type: 'boolean',
            default: false,
            describe: 'Remove budgets that the file does not have',
          })
          .option('dry-run', {
            type: 'boolean',
            default: false,
            describe: 'Show the difference, change nothing',
          }),
      load: async () => (await import('../money/budgets.ts')).applyBudgets,
    }),
    verb({
      command: 'export',
      describe: 'Print the budgets as such a file',
      examples: [['budget export > budgets.yaml', '']],
      load: async () => (await import('../money/budgets.ts')).exportBudgets,
    }),
    verb({
      command: 'report',
      describe: 'Report usage and cost of a period, beside the period before, with a forecast',
      examples: [
        ['budget report', 'this month so far, by project'],
        ['budget report --from 2026-10-01 --to 2026-10-31 --by task --format csv', ''],
        ['budget report --by model --format html -o report.html', 'one page with plots, to print or send'],
      ],
      epilogue: 'Reports that are made by themselves: budget.reports in the configuration.',
      builder: (yargs: Argv) =>
        byOption(yargs)
          .option('from', { type: 'string', requiresArg: true, describe: `First day. ${DAY}` })
          .option('to', { type: 'string', requiresArg: true, describe: `Last day. ${DAY}` })
          .option('project', { type: 'string', requiresArg: true, describe: 'Only this project' })
          .option('format', {
            choices: ['table', 'json', 'csv', 'html'] as const,
            default: 'table' as const,
            describe: 'What to print',
          })
          .option('output', { alias: 'o', type: 'string', requiresArg: true, describe: 'File to write' }),
      load: async () => (await import('../money/budgets.ts')).reportUsage,
    }),
  ],
};

export const usageVerb = verb({
  command: 'usage',
  describe: 'Show what is spent today, with --watch as it goes',
  examples: [['usage --watch --by task', '']],
  builder: (yargs: Argv) =>
    byOption(yargs).option('watch', {
      type: 'boolean',
      default: false,
      describe: 'Draw again as it changes',
    }),
  load: async () => (await import('../money/budgets.ts')).showUsage,
});

export const priceNoun: Noun = {
  noun: 'price',
  describe: 'What models cost',
  verbs: [
    verb({
      command: 'list',
      aliases: ['ls'],
      describe: 'List the prices that hold and those to come',
      examples: [['price list --all', 'those of the past too']],
      builder: (yargs: Argv) =>
        yargs
          .option('model', { type: 'string', requiresArg: true, describe: 'As engine/model' })
          .option('all', { type: 'boolean', default: false, describe: 'Prices of the past too' }),
      load: async () => (await import('../money/prices.ts')).listPrices,
    }),
    verb({
      command: 'set <model>',
      describe: 'Set a price per million tokens, from now or from a date to come',
      examples: [
        ['price set gpu/qwen3-coder --input 0.20 --cached 0.02 --output 0.80', ''],
        ['price set hosted/large --input 3 --output 15 --currency USD --from 2027-01-01', ''],
      ],
      epilogue: 'What was charged before stays as it was. A model without a price costs models.ceilingPrice.',
      builder: (yargs: Argv) =>
        yargs
          .positional('model', { type: 'string', demandOption: true, describe: 'As engine/model' })
          .option('input', { type: 'number', demandOption: true, requiresArg: true, describe: 'Of input' })
          .option('cached', {
            type: 'number',
            requiresArg: true,
            describe: 'Of input read from a cache; that of input when left out',
          })
          .option('output', { type: 'number', demandOption: true, requiresArg: true, describe: 'Of output' })
          .option('reasoning', {
            type: 'number',
            requiresArg: true,
            describe: 'Of reasoning; that of output when left out',
          })
          .option('currency', { type: 'string', requiresArg: true, describe: "When it is not the ledger's" })
          .option('from', {
            type: 'string',
            requiresArg: true,
            describe: 'As 2027-01-01; now when left out',
          }),
      load: async () => (await import('../money/prices.ts')).setPrice,
    }),
    verb({
      command: 'import',
      describe: "Set the prices of an engine's models from a table of public prices",
      examples: [
        ['price import --engine hosted --dry-run', 'the table that comes with Autocode'],
        ['price import --engine hosted --file prices.json', ''],
      ],
      builder: (yargs: Argv) =>
        yargs
          .option('engine', {
            type: 'string',
            demandOption: true,
            requiresArg: true,
            describe: 'Name of the engine',
          })
          .option('file', { type: 'string', requiresArg: true, describe: 'Another table' })
          .option('dry-run', { type: 'boolean', default: false, describe: 'Show, change nothing' }),
      load: async () => (await import('../money/prices.ts')).importPrices,
    }),
  ],
};

export const ledgerNoun: Noun = {
  noun: 'ledger',
  describe: 'The journal of all money: append-only, chained by hashes',
  verbs: [
    verb({
      command: 'list',
      aliases: ['ls'],
      describe: 'List entries in order',
      examples: [['ledger list --after 1000 --limit 50', '']],
      builder: (yargs: Argv) =>
        yargs
          .option('after', { type: 'number', default: 0, requiresArg: true, describe: 'Number of an entry' })
          .option('limit', { type: 'number', default: 100, requiresArg: true, describe: 'How many' }),
      load: async () => (await import('../money/ledger.ts')).listEntries,
    }),
    verb({
      command: 'verify',
      describe: 'Find an entry that was changed, removed or added, and exported days that do not fit',
      examples: [['ledger verify', '']],
      load: async () => (await import('../money/ledger.ts')).verifyLedger,
    }),
    verb({
      command: 'add <kind>',
      describe: 'Write a purchase, a refund or an adjustment',
      examples: [
        [
          'ledger add purchase --amount 100 --debit engine:hosted --credit card:4242 --memo "invoice 2026-77"',
          '',
        ],
        ['ledger add refund --amount 3.20 --debit engine:gpu --credit project:shop --memo "swept slab"', ''],
      ],
      builder: (yargs: Argv) =>
        yargs
          .positional('kind', {
            choices: ['purchase', 'refund', 'adjustment'] as const,
            demandOption: true,
            describe: 'What it is',
          })
          .option('amount', {
            type: 'string',
            demandOption: true,
            requiresArg: true,
            describe: 'As 25 or 25.50',
          })
          .option('debit', {
            type: 'string',
            demandOption: true,
            requiresArg: true,
            describe: 'Account that pays',
          })
          .option('credit', {
            type: 'string',
            demandOption: true,
            requiresArg: true,
            describe: 'Account that is paid',
          })
          .option('memo', { type: 'string', demandOption: true, requiresArg: true, describe: 'Why' }),
      load: async () => (await import('../money/ledger.ts')).addEntry,
    }),
  ],
};
