// `autocode environment list`, `show` and `remove`.
import { z } from 'zod';
import { Environment } from '../../../protocol/environment.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { confirm } from '../confirm.ts';
import { bytes, count, printable, relativeTime } from '../format.ts';
import { block, paint, print, printJson, table } from '../output.ts';

/** Lists them. */
export async function listEnvironments(args: GlobalArgs): Promise<void> {
  const all = await connect(args).get('/environments', z.array(Environment));
  if (args.json) return printJson(all);
  if (all.length === 0)
    return print(
      "There is no environment: runs see the programs of the worker's machine. Make one with `autocode environment import`.",
    );
  print(
    table(all, [
      { title: 'NAME', value: ({ name }) => name },
      { title: 'DIGEST', value: ({ digest }) => digest.slice(0, 12) },
      { title: 'SIZE', value: (each) => bytes(each.bytes), align: 'right' },
      { title: 'FILES', value: ({ files }) => count(files), align: 'right' },
      { title: 'MADE', value: ({ createdAt }) => relativeTime(createdAt) },
      { title: 'PROJECTS', value: ({ projects }) => projects.join(', ') || '-' },
    ]),
  );
}

/** Shows one. */
export async function showEnvironment(args: GlobalArgs & { name: string }): Promise<void> {
  const environment = await connect(args).get(routeOf(args.name), Environment);
  if (args.json) return printJson(environment);
  print(paint('bold', `Environment ${environment.name}`), '', drawEnvironment(environment));
}

/** Takes one out of use, having asked. */
export async function removeEnvironment(args: GlobalArgs & { name: string; yes: boolean }): Promise<void> {
  if (!args.yes)
    await confirm([], `Take environment ${args.name} out of use?`, {
      message: `Nobody can be asked whether environment ${args.name} is to go.`,
      remedy: 'Add --yes.',
    });
  const removed = await connect(args).send('DELETE', routeOf(args.name), Environment);
  if (args.json) return printJson(removed);
  print(`Environment ${args.name} is out of use; its archive goes when no run has it any more.`);
}

/** Where the API has it. */
export function routeOf(name: string): string {
  return `/environments/${encodeURIComponent(name)}`;
}

/** An environment as labels and values. */
export function drawEnvironment(environment: Environment): string {
  return block([
    ['digest', environment.digest],
    [
      'size',
      `${bytes(environment.bytes)} in ${count(environment.files)} files, ${bytes(environment.archiveBytes)} to send`,
    ],
    ['from', printable(environment.source)],
    ['made', `${relativeTime(environment.createdAt)} by ${environment.createdBy}`],
    ['projects', environment.projects.join(', ') || null],
  ]);
}
