// `autocode drain start`, `drain status` and `drain stop`.
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError } from '../../../protocol/errors.ts';
import { Drain, type AtDeadline } from '../../../protocol/scheduling.ts';
import { connect, type Client } from '../client.ts';
import { Exit, type GlobalArgs } from '../command.ts';
import { relativeTime } from '../format.ts';
import { block, print, printJson, table } from '../output.ts';
import { show } from '../redraw.ts';
import { styleOf } from '../states.ts';

const POLL_MS = 500;

interface StartArgs extends GlobalArgs {
  reason: string | undefined;
  deadline: number | undefined;
  then: AtDeadline | undefined;
  wait: boolean;
}

/** Lets no run begin any more; with --wait returns when none is active. */
export async function startDrain(args: StartArgs): Promise<void> {
  const client = connect(args);
  const { reason, deadline: deadlineMinutes, then: atDeadline } = args;
  const begun = await client.send('PUT', '/drain', Drain, { reason, deadlineMinutes, atDeadline });
  const drain = args.wait ? await untilDrained(client, begun, args.json) : begun;
  if (args.json) return printJson(drain);
  print(drawDrain(drain));
}

async function untilDrained(client: Client, begun: Drain, quiet: boolean): Promise<Drain> {
  let drain = begun;
  let told = '';
  while (drain.state === 'draining') {
    const runs = drain.runs.map(({ run, state }) => `${run} (${state})`).join(', ');
    if (!quiet && runs !== told && runs !== '') process.stderr.write(`Waiting for ${runs}.\n`);
    told = runs;
    await delay(POLL_MS);
    drain = await look(client, drain);
  }
  if (drain.state === 'drained') return drain;
  process.stderr.write('Somebody has ended the drain.\n');
  throw new Exit(1);
}

// At the deadline of a drain that asked for it, the daemon ends.
async function look(client: Client, before: Drain): Promise<Drain> {
  try {
    return await client.get('/drain', Drain);
  } catch (error) {
    const ended = error instanceof AutocodeError && error.code === 'ERR_DAEMON_NOT_RUNNING';
    if (!ended || (before.atDeadline !== 'stop' && !before.flagged)) throw error;
    process.stderr.write('The daemon has ended; runs that were active go on without it.\n');
    throw new Exit(1);
  }
}

/** Shows whether runs begin. */
export async function drainStatus(args: GlobalArgs & { watch: boolean }): Promise<void> {
  const client = connect(args);
  await show(args, () => client.get('/drain', Drain), drawDrain);
}

/** Lets runs begin again. */
export async function stopDrain(args: GlobalArgs): Promise<void> {
  const drain = await connect(args).send('DELETE', '/drain', Drain);
  if (args.json) return printJson(drain);
  print(
    drain.state === 'off'
      ? 'Runs begin again.'
      : `The flag file still asks for the drain.\n\n${drawDrain(drain)}`,
  );
}

const STATES: Record<Drain['state'], string> = {
  off: 'off: runs begin',
  draining: 'draining: no run begins; those that are active go on',
  drained: 'drained: no run begins, and none is active',
};

function drawDrain(drain: Drain): string {
  const on = drain.begunAt !== null;
  const summary = block([
    ['drain', STATES[drain.state]],
    ['since', on ? `${relativeTime(drain.begunAt)}, by ${drain.begunBy}` : null],
    ['reason', drain.reason],
    ['deadline', drain.state === 'draining' ? `${drain.deadline}, then ${drain.atDeadline}` : null],
    [
      'overdue',
      drain.state === 'draining' && drain.overdueAt !== null ? relativeTime(drain.overdueAt) : null,
    ],
    ['waiting', on ? `${drain.waiting > 10_000 ? 'more than 10000' : drain.waiting} tasks` : null],
    ['trouble', drain.trouble],
  ]);
  if (!on || drain.runs.length === 0) return summary;
  const runs = table(drain.runs, [
    { title: 'RUN', value: ({ run }) => run },
    { title: 'STATE', value: ({ state }) => state, style: ({ state }) => styleOf(state) },
    { title: 'WORKER', value: ({ worker }) => worker },
  ]);
  return `${summary}\n\n${runs}`;
}
