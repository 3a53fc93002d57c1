// `autocode model plan`.
import { AutocodeError } from '../../protocol/errors.ts';
import { ModelPlan } from '../../protocol/local-model.ts';
import type { PlanRequest, PlannedModel } from '../../protocol/local-model.ts';
import { connect } from './client.ts';
import { Exit, type GlobalArgs } from './command.ts';
import { printable } from './format.ts';
import { paint, print, printJson, table } from './output.ts';

interface PlanArgs extends GlobalArgs {
  models: string[];
  context: number | undefined;
  sequences: number | undefined;
  dtype: string | undefined;
  tensorParallel: number | undefined;
  gpus: string | undefined;
}

/** Asks for a plan and shows it. */
export async function planModels(args: PlanArgs): Promise<void> {
  const { models, context, sequences, dtype, tensorParallel } = args;
  const gpus = args.gpus === undefined ? undefined : gpusOf(args.gpus);
  const asked = { models, context, sequences, dtype, tensorParallel, gpus };
  const plan = await connect(args).send('POST', '/model-plans', ModelPlan, asked);
  if (args.json) printJson(plan);
  else print(drawPlan(plan));
  if (!plan.together) throw new Exit(1);
}

/** `2x24564,49140`: three GPUs. */
export function gpusOf(text: string): NonNullable<PlanRequest['gpus']> {
  return text.split(',').flatMap((part) => {
    const found = /^\s*(?:(\d{1,2})\s*x\s*)?(\d{4,6})\s*$/.exec(part);
    if (found === null)
      throw new AutocodeError('ERR_INVALID_INPUT', `"${part.trim()}" tells of no GPU.`, {
        remedy: 'Write the MiB of each, as 24564, or how many of them, as 2x24564; with commas between.',
      });
    const [, count = '1', mib] = found;
    return Array.from({ length: Number(count) }, () => ({ name: 'GPU', totalMib: Number(mib) }));
  });
}

function drawPlan({ gpus, models, together }: ModelPlan): string {
  const places = gpus.map(
    ({ index, name, totalMib }) =>
      `GPU ${index}${name === 'GPU' ? '' : ` ${printable(name)}`}, ${gib(totalMib)}`,
  );
  const parts = [paint('dim', places.join(' · ')), '', drawFigures(models), ''];
  parts.push(models.map(drawWords).join('\n\n'));
  if (models.length > 1) parts.push('', togetherWords(models, together));
  return parts.join('\n');
}

function drawFigures(models: PlannedModel[]): string {
  const part = (name: 'weightsMib' | 'kvMib' | 'runtimeMib' | 'totalMib') => (model: PlannedModel) =>
    model.need === null ? '-' : gib(model.need[name]);
  return table(models, [
    { title: 'MODEL', value: ({ model }) => model },
    {
      title: 'FITS',
      value: ({ fits }) => (fits ? 'yes' : 'no'),
      style: ({ fits }) => (fits ? 'green' : 'red'),
    },
    { title: 'GPUS', value: (model) => model.gpus.join(', ') || '-' },
    { title: 'WEIGHTS', value: part('weightsMib'), align: 'right' },
    { title: 'KV', value: part('kvMib'), align: 'right' },
    { title: 'ENGINE', value: part('runtimeMib'), align: 'right' },
    { title: 'NEED', value: part('totalMib'), align: 'right' },
    { title: 'TOKENS', value: ({ need }) => need?.tokens.toLocaleString('en') ?? '-', align: 'right' },
    { title: 'LEFT', value: ({ freeMib }) => (freeMib === null ? '-' : gib(freeMib)), align: 'right' },
    { title: 'BY', value: ({ source }) => source },
  ]);
}

function drawWords({ model, fits, why, would, beside }: PlannedModel): string {
  const lines = [`${paint('bold', printable(model))}: ${printable(why)}`];
  if (would.length > 0) lines.push('  It would with:', ...would.map((each) => `  - ${printable(each)}`));
  if (fits)
    lines.push(`  Beside it fit: ${beside.length === 0 ? 'no others of the catalogue' : beside.join(', ')}.`);
  return lines.join('\n');
}

function togetherWords(models: PlannedModel[], together: boolean): string {
  const count = models.length === 2 ? 'Both' : `All ${models.length}`;
  if (together) return `${count} fit at the same time.`;
  return models.every(({ fits }) => fits)
    ? `Each fits by itself, but not ${models.length === 2 ? 'both' : `all ${models.length}`} at the same time.`
    : 'They do not fit at the same time.';
}

const gib = (mib: number) => `${(mib / 1024).toFixed(1)} GiB`;
