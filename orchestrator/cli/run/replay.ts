// `autocode run replay`.
import { Run } from '../../../protocol/run.ts';
import { Task } from '../../../protocol/task.ts';
import { connect, type Client } from '../client.ts';
import { Exit, type GlobalArgs } from '../command.ts';
import { count, duration, money } from '../format.ts';
import { currencyOf } from '../money/currency.ts';
import { print, printJson, table } from '../output.ts';
import { watch } from '../task/watch.ts';
import { viewTask } from '../watch/task-view.ts';
import { newestRun } from './diff.ts';
import { tookMs } from './table.ts';

interface Args extends GlobalArgs {
  run: string;
  agent: string | undefined;
  model: string | undefined;
  deadline: number | undefined;
  iterations: number | undefined;
  wait: boolean;
}

/** Does a run again; with --wait shows both outcomes side by side, exit code 1 when the new one did not complete. */
export async function replay(args: Args): Promise<void> {
  const client = connect(args);
  const { run, agent, model, deadline, iterations } = args;
  const limits = { deadlineMinutes: deadline, maxIterations: iterations };
  const task = await client.send('POST', `/runs/${encodeURIComponent(run)}/replay`, Task, {
    agent,
    model,
    limits,
  });
  if (args.wait) return await showBoth(client, task, args);
  if (args.json) return printJson(task);
  print(
    `Task ${task.id} does run ${run} again with ${task.agent}; its result is kept to be compared, and never submitted.`,
    `When it has ended: autocode run diff ${run} ${task.id}`,
  );
}

async function showBoth(client: Client, task: Task, args: Args): Promise<void> {
  const ended = await watch(client, task, args.json ? { show: () => {} } : viewTask(task, args));
  const read = async (id: string) => await client.get(`/runs/${encodeURIComponent(id)}`, Run);
  const both = [await read(args.run), await read(newestRun(ended))] as const;
  if (args.json) printJson({ task: ended, original: both[0], replay: both[1] });
  else
    print(
      '',
      drawBoth(...both, await currencyOf(client)),
      '',
      `autocode run diff ${both[0].id} ${both[1].id}`,
    );
  if (ended.state !== 'completed') throw new Exit(1);
}

/** Two runs side by side. */
export function drawBoth(original: Run, again: Run, currency: string): string {
  const row = (what: string, value: (run: Run) => string) => [what, value(original), value(again)] as const;
  const rows = [
    row('state', ({ state }) => state),
    row('agent', ({ agent, agentVersion }) => `${agent} ${agentVersion ?? ''}`.trim()),
    row('model', ({ model }) => model || '-'),
    row('checks', checksPassed),
    row('iterations', ({ iterations }) => String(iterations)),
    row('model calls', ({ usage }) => String(usage.calls)),
    row('tokens in/out', ({ usage }) => `${count(usage.inputTokens)}/${count(usage.outputTokens)}`),
    row('cost', ({ usage }) => money(usage.costMicros, currency)),
    row('time', (run) => duration(tookMs(run))),
  ];
  return table(rows, [
    { title: '', value: ([what]) => what },
    { title: original.id, value: ([, left]) => left },
    { title: again.id, value: ([, , right]) => right },
  ]);
}

function checksPassed({ checks }: Run): string {
  if (checks.length === 0) return 'none';
  return `${checks.filter(({ head }) => head?.status === 'passed').length} of ${checks.length} passed`;
}
