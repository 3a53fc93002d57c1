// `autocode worker reconcile`: the worker's own tool looks for what ended runs left; this shows it.
import { resolve } from 'node:path';
import { z } from 'zod';
import { dataPath } from '../config/data-directory.ts';
import { Exit, type GlobalArgs } from './command.ts';
import { print, printJson, table } from './output.ts';
import { readPart } from './part.ts';
import { loadSettings } from './settings.ts';

const Differences = z.array(
  z.object({ kind: z.string(), what: z.string(), why: z.string(), mended: z.boolean() }),
);

/** Finds, and unless told otherwise removes, what no run on this machine has any more. */
export async function reconcileWorker(
  args: GlobalArgs & { dryRun: boolean; stateDir: string | undefined },
): Promise<void> {
  const stateDir = args.stateDir ?? dataPath(loadSettings(args).config.dataDir, 'worker');
  let output = '';
  const words = ['--state-dir', resolve(stateDir), ...(args.dryRun ? ['--dry-run'] : [])];
  const code = await readPart('worker-agent/reconcile-cli.ts', words, (line) => (output += line));
  if (code !== 0) throw new Exit(code);
  const found = Differences.parse(JSON.parse(output));
  if (args.json) return printJson(found);
  if (found.length === 0) return print(`Nothing is left over in ${stateDir}.`);
  print(
    table(found, [
      { title: 'KIND', value: (one) => one.kind },
      { title: 'WHAT', value: (one) => one.what },
      { title: 'WHY', value: (one) => one.why },
      { title: 'MENDED', value: (one) => (one.mended ? 'yes' : 'no') },
    ]),
  );
}
