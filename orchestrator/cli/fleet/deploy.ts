// `autocode worker deploy`: what it would change, then the change, then how it goes, VM by VM.
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError } from '../../../protocol/errors.ts';
import {
  FleetDeployment,
  FleetPlan,
  Rollout,
  type FleetAllocation,
  type FleetMode,
} from '../../../protocol/fleet.ts';
import { connect, type Client } from '../client.ts';
import { Exit, type GlobalArgs } from '../command.ts';
import { confirm } from '../confirm.ts';
import { oneLine } from '../format.ts';
import { paint, print, printJson, type Style } from '../output.ts';

const POLL_MS = 1_000;
/** So long the daemon or Nomad may be away while a deployment is watched. */
const AWAY_MS = 120_000;
const INTERRUPTED = 130;

interface DeployArgs extends GlobalArgs {
  mode: FleetMode;
  count: number | undefined;
  agent: string | undefined;
  project: string | undefined;
  dailyBudget: number | undefined;
  partial: boolean;
  dryRun: boolean;
  yes: boolean;
  wait: boolean;
}

/** Deploys workers; exit code 1 when they did not come up. */
export async function deployWorkers(args: DeployArgs): Promise<void> {
  const client = connect(args);
  const { mode, count, partial } = args;
  const request = {
    mode,
    count,
    partial,
    agent: orAny(args.agent),
    project: orAny(args.project),
    dailyBudget: args.dailyBudget === 0 ? null : args.dailyBudget,
  };
  const plan = await client.send('POST', '/fleet/plans', FleetPlan, request);
  if (args.dryRun) return args.json ? printJson(plan) : print(...drawPlan(plan));
  if (plan.changes.length > 0 && !args.yes)
    await confirm(drawPlan(plan), `Deploy ${plan.job}?`, {
      message: `This changes the job ${plan.job}.`,
      remedy: 'Look at it with --dry-run, and give --yes.',
    });
  else if (!args.json) print(...drawPlan(plan));
  const made = await client.send('POST', '/fleet/deployments', FleetDeployment, {
    ...request,
    index: plan.index,
  });
  if (made.evaluation === null || !args.wait) {
    if (args.json) printJson(made);
    else if (plan.changes.length > 0) print(`${made.job} is submitted.`);
    return;
  }
  const outcome = await watch(client, made.evaluation, args.json);
  if (args.json) printJson(outcome);
  else print(drawOutcome(outcome));
  if (outcome.state !== 'healthy') throw new Exit(1);
}

function orAny(name: string | undefined): string | null | undefined {
  return name === 'any' ? null : name;
}

const MARKS: Record<FleetPlan['changes'][number]['kind'], [mark: string, style: Style]> = {
  added: ['+', 'green'],
  deleted: ['-', 'red'],
  edited: ['~', 'yellow'],
};

/** The difference as lines. */
export function drawPlan({ job, changes, effects, shortage, warnings }: FleetPlan): string[] {
  if (changes.length === 0) return [`${job} is deployed like this already.`];
  const lines = changes.map(({ kind, what, old, new: now }) => {
    const [mark, style] = MARKS[kind];
    const values = kind === 'edited' ? `${old || '""'} → ${now || '""'}` : kind === 'added' ? now : old;
    return paint(style, `${mark} ${what}: ${oneLine(values)}`);
  });
  return [
    ...lines,
    ...effects,
    ...shortage.map((line) => paint('red', line)),
    ...(warnings === '' ? [] : [paint('yellow', warnings.trim())]),
  ];
}

/** Follows it until it has ended, telling each step. Ctrl-C ends the watching only. */
async function watch(client: Client, evaluation: string, quiet: boolean): Promise<Rollout> {
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  process.once('SIGINT', interrupt);
  const told = new Map<string, string>();
  const tell = (key: string, line: string) => {
    if (!quiet && told.get(key) !== line) process.stderr.write(`${line}\n`);
    told.set(key, line);
  };
  try {
    for (;;) {
      const rollout = await untilThere(client, evaluation, interrupted.signal);
      for (const line of rollout.shortage) tell(line, paint('yellow', line));
      for (const each of rollout.allocations) tell(each.id, drawAllocation(each));
      if (rollout.description !== '') tell('state', `${rollout.job}: ${rollout.description}`);
      if (!['pending', 'running', 'reverting'].includes(rollout.state)) return rollout;
      await delay(POLL_MS, undefined, { signal: interrupted.signal });
    }
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    process.stderr.write('\nThe deployment goes on: see `autocode worker list`.\n');
    throw new Exit(INTERRUPTED);
  } finally {
    process.removeListener('SIGINT', interrupt);
  }
}

const AWAY = new Set(['ERR_NOMAD_UNAVAILABLE', 'ERR_DAEMON_NOT_RUNNING']);

async function untilThere(client: Client, evaluation: string, signal: AbortSignal): Promise<Rollout> {
  for (const giveUp = Date.now() + AWAY_MS; ; await delay(POLL_MS, undefined, { signal })) {
    try {
      return await client.get(`/fleet/deployments/${evaluation}`, Rollout);
    } catch (error) {
      const away = error instanceof AutocodeError && AWAY.has(error.code);
      if (!away || Date.now() > giveUp) throw error;
    }
  }
}

function drawAllocation({ name, node, version, state, healthy, wanted, message }: FleetAllocation): string {
  const health = healthy === null ? '' : healthy ? ', healthy' : ', not healthy';
  const words = wanted ? `${state}${health}` : `${state}, to be stopped`;
  const of = version === null ? '' : ` (version ${version})`;
  return `  ${name} on ${node}${of}: ${words}${message === '' ? '' : `; ${oneLine(message)}`}`;
}

const OUTCOMES: Partial<Record<Rollout['state'], [word: string, style: Style]>> = {
  healthy: ['deployed', 'green'],
  reverted: ['taken back', 'red'],
  failed: ['failed', 'red'],
  replaced: ['replaced by a later deployment', 'yellow'],
};

function drawOutcome({ job, state, healthy, desired, description }: Rollout): string {
  const [word, style] = OUTCOMES[state] ?? [state, 'yellow'];
  return `${paint(style, `${job}: ${word}`)}, ${healthy} of ${desired} healthy. ${description}`.trim();
}
