// `autocode model show|load|unload|sleep|wake|logs|why`: models on the appliance's own GPUs.
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import {
  EngineLog,
  LocalModelStatus,
  ModelCommand,
  ModelDecision,
  type ModelAction,
} from '../../protocol/local-model.ts';
import { connect, type Client } from './client.ts';
import { Exit, type GlobalArgs } from './command.ts';
import { elapsed, printable, relativeTime, timestamp } from './format.ts';
import { block, paint, print, printJson } from './output.ts';
import { show } from './redraw.ts';
import { styleOf } from './states.ts';

type ModelArgs = GlobalArgs & { model: string };
type CommandArgs = ModelArgs & { wait: boolean };

const FOLLOW_MS = 500;
/** A gateway that is up takes a command up at once. */
const TAKEN_UP_MS = 30_000;
/** Exit code after Ctrl-C. */
const INTERRUPTED = 130;

/** Shows one model. */
export async function showModel(args: ModelArgs): Promise<void> {
  const client = connect(args);
  await show(args, () => client.get(routeOf(args.model), LocalModelStatus), drawModel);
}

/** Loads one. */
export async function loadModel(args: CommandArgs): Promise<void> {
  await command(args, [args.model], 'load');
}

/** Puts one to sleep. */
export async function sleepModel(args: CommandArgs): Promise<void> {
  await command(args, [args.model], 'sleep');
}

/** Wakes one. */
export async function wakeModel(args: CommandArgs): Promise<void> {
  await command(args, [args.model], 'wake');
}

/** Unloads one, or all that are loaded. */
export async function unloadModels(
  args: GlobalArgs & { model: string | undefined; all: boolean; wait: boolean },
): Promise<void> {
  if ((args.model === undefined) !== args.all)
    throw new AutocodeError('ERR_INVALID_INPUT', 'Name a model, or give --all.', {
      remedy: 'See `autocode model unload --help`.',
    });
  const models = args.model === undefined ? await loadedModels(connect(args)) : [args.model];
  if (models.length === 0 && !args.json) return print('No model is loaded.');
  await command(args, models, 'unload', args.all);
}

/** Prints the log of its engine. */
export async function modelLogs(args: ModelArgs & { follow: boolean }): Promise<void> {
  const client = connect(args);
  let from: number | undefined;
  for (;;) {
    const { text, end } = await client.get(`${routeOf(args.model)}/log`, EngineLog, { from });
    process.stdout.write(printable(text));
    if (!args.follow) return;
    from = end;
    await delay(FOLLOW_MS);
  }
}

/** Tells what was decided and why. */
export async function whyModel(args: ModelArgs & { limit: number }): Promise<void> {
  const client = connect(args);
  const { model, limit } = args;
  const read = () => client.get(`${routeOf(model)}/decisions`, z.array(ModelDecision), { limit });
  await show(args, read, drawDecisions);
}

async function loadedModels(client: Client): Promise<string[]> {
  const models = await client.get('/local-models', z.array(LocalModelStatus));
  return models.filter(({ state }) => state !== 'unloaded' && state !== 'failed').map(({ name }) => name);
}

/** Asks for it, and follows each until it is done; exit code 1 when one has failed. */
async function command(
  args: GlobalArgs & { wait: boolean },
  models: string[],
  action: ModelAction,
  list = false,
): Promise<void> {
  const client = connect(args);
  const asked: ModelCommand[] = [];
  for (const model of models)
    asked.push(await client.send('POST', `${routeOf(model)}/commands`, ModelCommand, { action }));
  const answers = args.wait ? await follow(client, asked, args.json) : asked;
  if (args.json) printJson(list ? answers : answers[0]);
  else if (!args.wait)
    for (const { model } of asked)
      print(`${model}: ${action} was asked for. Follow it with \`autocode model show ${model}\`.`);
  if (answers.some(({ state }) => state === 'failed')) throw new Exit(1);
}

/** Follows each until it is done. Ctrl-C ends the watching only. */
async function follow(client: Client, asked: ModelCommand[], quiet: boolean): Promise<ModelCommand[]> {
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  const { signal } = interrupted;
  process.once('SIGINT', interrupt);
  try {
    return await Promise.all(
      asked.map((each) => followCommand(client, each, { several: asked.length > 1, quiet, signal })),
    );
  } catch (error) {
    if (!signal.aborted) throw error;
    process.stderr.write('\nWhat was asked for goes on: see `autocode model list`.\n');
    throw new Exit(INTERRUPTED);
  } finally {
    process.removeListener('SIGINT', interrupt);
  }
}

async function followCommand(
  client: Client,
  first: ModelCommand,
  { several, quiet, signal }: { several: boolean; quiet: boolean; signal: AbortSignal },
): Promise<ModelCommand> {
  const tell = progressLine(several ? `${first.model}: ` : '', quiet);
  let answer = first;
  const began = Date.now();
  while (answer.state === 'waiting') {
    if (answer.detail === '' && Date.now() - began > TAKEN_UP_MS)
      throw new AutocodeError(
        'ERR_DAEMON_NOT_RUNNING',
        `Nobody has taken it up for ${TAKEN_UP_MS / 1000} s.`,
        {
          remedy:
            'The process with the role gateway does it: see `autocode status`. What was asked for stays.',
        },
      );
    tell.now(answer.detail === '' ? 'It was asked for.' : answer.detail);
    await delay(FOLLOW_MS, undefined, { signal });
    answer = await client.get(`/model-commands/${first.id}`, ModelCommand);
  }
  tell.end(answer);
  return answer;
}

/** One line that changes on a terminal; elsewhere each word once. */
function progressLine(prefix: string, quiet: boolean) {
  const live = process.stderr.isTTY && prefix === '';
  const began = Date.now();
  let last = '';
  return {
    now(text: string) {
      if (quiet || (!live && text === last)) return;
      last = text;
      if (live) process.stderr.write(`\r\u001b[K${text} (${elapsed(Date.now() - began)})`);
      else process.stderr.write(`${prefix}${text}\n`);
    },
    end({ state, detail, remedy }: ModelCommand) {
      if (live && last !== '') process.stderr.write('\r\u001b[K');
      if (quiet) return;
      if (state === 'done') return print(`${prefix}${detail}`);
      process.stderr.write(
        `${prefix}${paint('red', 'error')}: ${detail}\n${remedy === null ? '' : `  ${remedy}\n`}`,
      );
    },
  };
}

function routeOf(model: string): string {
  return `/local-models/${encodeURIComponent(model.replace(/^local\//, ''))}`;
}

function drawModel(model: LocalModelStatus): string {
  const { figures } = model;
  const mib = (value: number | null) => (value === null ? null : `${value} MiB`);
  return block([
    ['model', `local/${model.name}`],
    [
      'state',
      paint(styleOf(model.state), model.state) +
        (model.since === null ? '' : ` for ${elapsed(Math.max(0, Date.now() - Date.parse(model.since)))}`),
    ],
    ['problem', model.problem],
    ['what to do', model.remedy],
    ['engine', model.engine],
    ['weights', model.weights],
    ['load', model.load],
    ['roles', model.roles.join(', ')],
    ['GPUs', model.gpus.join(', ')],
    ['endpoint', model.endpoint],
    ['process', model.pid === null ? null : String(model.pid)],
    ['memory predicted', mib(model.predictedMib)],
    ['by the engine', mib(model.reportedMib)],
    ['by nvidia-smi', mib(model.measuredMib) === null ? null : `${mib(model.measuredMib)}${errorOf(model)}`],
    ['requests', `${model.inFlight} in flight, ${model.waiting} waiting`],
    ['last used', model.usedAt === null ? null : relativeTime(model.usedAt)],
    ['tokens/s', figures?.tokensPerSecond?.toFixed(1)],
    ['first token', figures?.firstTokenMs == null ? null : `${Math.round(figures.firstTokenMs)} ms`],
    ['KV cache', percent(figures?.kvUsage)],
    ['prefix hits', percent(figures?.prefixHits)],
  ]);
}

/** By how much the prediction was wrong. */
export function errorOf({
  predictedMib,
  measuredMib,
}: Pick<LocalModelStatus, 'predictedMib' | 'measuredMib'>): string {
  if (!predictedMib || measuredMib === null) return '';
  const share = Math.round((measuredMib / predictedMib - 1) * 100);
  return ` (${share >= 0 ? '+' : ''}${share} %)`;
}

const percent = (share: number | null | undefined) => (share == null ? null : `${Math.round(share * 100)} %`);

function drawDecisions(decisions: ModelDecision[]): string {
  if (decisions.length === 0) return 'Nothing was decided about it yet.';
  return decisions
    .toReversed()
    .map(({ at, action, gpus, reason, outcome }) =>
      [
        `${paint('dim', timestamp(at))}  ${action}${gpus.length === 0 ? '' : ` on GPU ${gpus.join(', ')}`}`,
        `    ${printable(reason)}`,
        `    → ${outcome === null ? 'under way' : printable(outcome)}`,
      ].join('\n'),
    )
    .join('\n');
}
