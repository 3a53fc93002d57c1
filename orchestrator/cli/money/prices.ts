// `autocode price list|set|import`.
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { DatedPrice, type PriceInput } from '../../../protocol/budget.ts';
import { AutocodeError } from '../../../protocol/errors.ts';
import { Model } from '../../../protocol/model.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { timestamp } from '../format.ts';
import { print, printJson, table } from '../output.ts';
import { show } from '../redraw.ts';

const Prices = z.array(DatedPrice);

/** Lists prices, the newest of each model first. */
export async function listPrices(
  args: GlobalArgs & { model: string | undefined; all: boolean },
): Promise<void> {
  const client = connect(args);
  await show(
    args,
    async () => {
      const prices = await client.get('/prices', Prices, { model: args.model });
      return args.all
        ? prices
        : prices.filter(({ current, validFrom }) => current || Date.parse(validFrom) > Date.now());
    },
    drawPrices,
  );
}

interface SetArgs extends GlobalArgs {
  model: string;
  input: number;
  cached: number | undefined;
  output: number;
  reasoning: number | undefined;
  from: string | undefined;
  currency: string | undefined;
}

/** Sets the price of a model, from now or from a date to come. */
export async function setPrice(args: SetArgs): Promise<void> {
  const { model, input, output, reasoning, currency } = args;
  const price = {
    input,
    cached: args.cached ?? input,
    output,
    ...(reasoning === undefined ? {} : { reasoning }),
  };
  const wanted: PriceInput = { model, price, currency, source: 'set by hand', validFrom: timeOf(args.from) };
  const client = connect(args);
  const prices = await client.send('POST', '/prices', Prices, [wanted]);
  const ofModel = prices.filter((each) => each.model === model);
  if (args.json) return printJson(ofModel);
  print(drawPrices(ofModel));
  const known = (await client.get('/models', z.array(Model))).some(({ name }) => name === model);
  if (!known) process.stderr.write(`No engine serves ${model} yet; see \`autocode model list\`.\n`);
}

function timeOf(from: string | undefined): string | undefined {
  if (from === undefined) return undefined;
  const time = new Date(from);
  if (!Number.isNaN(time.getTime())) return time.toISOString();
  throw new AutocodeError('ERR_INVALID_INPUT', `"${from}" is no time.`, {
    remedy: 'Write it as 2026-12-01 or 2026-12-01T00:00:00+01:00.',
  });
}

const PriceTable = z.object({
  currency: z.string(),
  prices: z.array(
    z.object({
      model: z.string(),
      input: z.number().nonnegative(),
      cached: z.number().nonnegative(),
      output: z.number().nonnegative(),
      reasoning: z.number().nonnegative().optional(),
      source: z.string(),
      date: z.string(),
    }),
  ),
});

interface ImportArgs extends GlobalArgs {
  engine: string;
  file: string | undefined;
  dryRun: boolean;
}

/** Sets the prices of an engine's models from a table: the one that comes with Autocode, or a file like it. */
export async function importPrices(args: ImportArgs): Promise<void> {
  const prices = readTable(args.file);
  const client = connect(args);
  const models = (await client.get('/models', z.array(Model))).filter(({ engine }) => engine === args.engine);
  if (models.length === 0)
    throw new AutocodeError('ERR_NOT_FOUND', `No engine ${args.engine} serves a model.`, {
      remedy: 'See `autocode model list`.',
    });
  const found = models.flatMap(({ name }): PriceInput[] => {
    const price = priceOf(prices.prices, name.slice(args.engine.length + 1));
    if (price === undefined) return [];
    const { source, date, model: _, ...each } = price;
    return [{ model: name, price: each, currency: prices.currency, source: `${source} (${date})` }];
  });
  if (!args.dryRun && found.length > 0) await client.send('POST', '/prices', Prices, found);
  const without = models.map(({ name }) => name).filter((name) => !found.some(({ model }) => model === name));
  if (args.json) return printJson({ set: found, without });
  print(
    ...found.map(
      ({ model, price, source }) =>
        `${model}: ${price.input} in, ${price.cached} cached, ${price.output} out ${prices.currency} per million; ${source}`,
    ),
    ...without.map((name) => `${name}: not in the table; the ceiling price holds unless one is set`),
    ...(args.dryRun ? ['Nothing was changed (--dry-run).'] : []),
  );
}

/** The price of a model by its name, with or without a maker in front and a date behind. */
export function priceOf<T extends { model: string }>(prices: T[], name: string): T | undefined {
  const bare = name.replace(/^.*\//, '').replace(/-(\d{8}|\d{4}-\d\d-\d\d|latest)$/, '');
  return prices.find(({ model }) => model === name) ?? prices.find(({ model }) => model === bare);
}

function readTable(file: string | undefined): z.infer<typeof PriceTable> {
  const path = file ?? new URL('../../budget/public-prices.json', import.meta.url);
  try {
    return PriceTable.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new AutocodeError('ERR_INVALID_INPUT', `${String(path)} is no table of prices: ${why}`, {
      remedy:
        'Write it as {"currency": "USD", "prices": [{"model", "input", "cached", "output", "source", "date"}]}.',
    });
  }
}

function drawPrices(prices: DatedPrice[]): string {
  if (prices.length === 0)
    return 'No prices are set; the configuration names prices, and the ceiling price holds for the rest.';
  return table(prices, [
    { title: 'MODEL', value: ({ model }) => model },
    { title: 'IN', value: ({ price }) => String(price.input), align: 'right' },
    { title: 'CACHED', value: ({ price }) => String(price.cached), align: 'right' },
    { title: 'OUT', value: ({ price }) => String(price.output), align: 'right' },
    { title: 'FROM', value: ({ validFrom }) => timestamp(validFrom) },
    { title: 'HOLDS', value: ({ current }) => (current ? 'now' : '') },
    { title: 'SOURCE', value: ({ source }) => source },
  ]);
}
