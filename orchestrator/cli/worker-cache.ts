// `autocode worker cache`: the worker's own tool reads and prunes its cache; this shows it.
import { resolve } from 'node:path';
import { z } from 'zod';
import { dataPath } from '../config/data-directory.ts';
import { Exit, type GlobalArgs } from './command.ts';
import { bytes, relativeTime, shortCommit } from './format.ts';
import { print, printJson, table } from './output.ts';
import { readPart } from './part.ts';
import { loadSettings } from './settings.ts';

const Entries = z.array(
  z.object({
    kind: z.string(),
    repository: z.number().nullable(),
    commit: z.string().nullable(),
    digest: z.string().nullable(),
    run: z.string().nullable(),
    bytes: z.number(),
    lastUsed: z.string(),
    inUse: z.boolean(),
    removed: z.boolean(),
  }),
);

/** Lists what a worker on this machine keeps of repositories, environments and dependencies; with --prune removes what no run uses. */
export async function workerCache(
  args: GlobalArgs & { prune: boolean; stateDir: string | undefined },
): Promise<void> {
  const stateDir = args.stateDir ?? dataPath(loadSettings(args).config.dataDir, 'worker');
  let output = '';
  const words = ['--state-dir', resolve(stateDir), ...(args.prune ? ['--prune', '0'] : [])];
  const code = await readPart('worker-agent/workspace/cache-cli.ts', words, (line) => (output += line));
  if (code !== 0) throw new Exit(code);
  const entries = Entries.parse(JSON.parse(output));
  if (args.json) return printJson(entries);
  if (entries.length === 0) return print(`Nothing is cached in ${stateDir}.`);
  print(
    table(entries, [
      { title: 'KIND', value: (entry) => entry.kind },
      { title: 'REPOSITORY', value: (entry) => String(entry.repository ?? '-'), align: 'right' },
      {
        title: 'COMMIT, DIGEST OR RUN',
        value: (entry) => entry.run ?? shortCommit(entry.commit ?? entry.digest),
      },
      { title: 'SIZE', value: (entry) => bytes(entry.bytes), align: 'right' },
      { title: 'USED', value: (entry) => relativeTime(entry.lastUsed) },
      { title: 'STATE', value: (entry) => (entry.removed ? 'removed' : entry.inUse ? 'in use' : 'kept') },
    ]),
  );
}
