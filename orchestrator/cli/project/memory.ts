// `autocode project memory show|log|caches|clear`.
import { z } from 'zod';
import { DependencyCache } from '../../../protocol/dependency-cache.ts';
import { Memory, MemoryVersion } from '../../../protocol/memory.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { confirm } from '../confirm.ts';
import { bytes, printable, relativeTime } from '../format.ts';
import { paint, print, printJson, table } from '../output.ts';

interface Which extends GlobalArgs {
  project: string;
  repo: string | undefined;
}

/** Shows the notes, each file below its name. */
export async function showMemory(args: Which & { version: number | undefined }): Promise<void> {
  const query = { repository: args.repo, version: args.version };
  const all = await connect(args).get(routeOf(args.project), z.array(Memory), query);
  if (args.json) return printJson(all);
  const files = all.flatMap((memory) =>
    memory.files.flatMap(({ path, text }) => [
      paint('bold', `${memory.repository}/${path} (${madeBy(memory)}, ${relativeTime(memory.at)})`),
      printable(text.trimEnd()),
      '',
    ]),
  );
  print(...(files.length > 0 ? files.slice(0, -1) : ['There are no notes.']));
}

/** Lists the versions. */
export async function logMemory(args: Which): Promise<void> {
  const route = `${routeOf(args.project)}/versions`;
  const all = await connect(args).get(route, z.array(MemoryVersion), { repository: args.repo });
  if (args.json) return printJson(all);
  if (all.length === 0) return print('There are no notes.');
  print(
    table(all, [
      { title: 'VERSION', value: ({ version }) => String(version) },
      { title: 'REPOSITORY', value: ({ repository }) => repository },
      { title: 'BY', value: madeBy },
      { title: 'FILES', value: ({ count }) => String(count) },
      { title: 'SIZE', value: (version) => bytes(version.bytes) },
      { title: 'WHEN', value: ({ at }) => relativeTime(at) },
    ]),
  );
}

/** Lists the caches of dependencies. */
export async function listCaches(args: Which): Promise<void> {
  const route = routeOf(args.project, 'dependencies');
  const all = await connect(args).get(route, z.array(DependencyCache), { repository: args.repo });
  if (args.json) return printJson(all);
  if (all.length === 0) return print('No worker has caches of dependencies.');
  print(
    table(all, [
      { title: 'REPOSITORY', value: ({ repository }) => repository },
      { title: 'WORKER', value: ({ worker }) => worker },
      { title: 'OF', value: ({ kind }) => kind },
      { title: 'BY', value: ({ run }) => `run ${run}` },
      { title: 'SIZE', value: (cache) => bytes(cache.bytes) },
      { title: 'WHEN', value: ({ at }) => relativeTime(at) },
    ]),
  );
}

/** Clears the notes, or the caches, having asked. */
export async function clearMemory(args: Which & { caches: boolean; yes: boolean }): Promise<void> {
  const which =
    args.repo === undefined ? `project ${args.project}` : `${args.repo} of project ${args.project}`;
  const what = args.caches ? 'caches of dependencies' : 'notes';
  if (!args.yes) {
    const more = args.caches ? '' : ', with all their versions';
    await confirm([], `Forget the ${what} of ${which}${more}?`, {
      message: `Nobody can be asked whether the ${what} of ${which} are to go.`,
      remedy: 'Add --yes.',
    });
  }
  const query = args.repo === undefined ? '' : `?repository=${encodeURIComponent(args.repo)}`;
  const route = `${routeOf(args.project, args.caches ? 'dependencies' : 'memory')}${query}`;
  const answer = await connect(args).send('DELETE', route, z.object({ cleared: z.array(z.string()) }));
  if (args.json) return printJson(answer);
  print(`The ${what} of ${answer.cleared.join(', ')} are gone; the next run begins without.`);
}

function madeBy({ run, clearedBy }: MemoryVersion): string {
  return run === null ? `cleared by ${clearedBy}` : `run ${run}`;
}

function routeOf(project: string, what: 'memory' | 'dependencies' = 'memory'): string {
  return `/projects/${encodeURIComponent(project)}/${what}`;
}
