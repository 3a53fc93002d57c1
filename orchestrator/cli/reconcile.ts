// `autocode worker reconcile`: what ended runs left on this machine, found by the worker's own tool, and what the daemon finds
// to differ between its records and Nomad.
import { resolve } from 'node:path';
import { z } from 'zod';
import { FleetDifference } from '../../protocol/fleet-difference.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import { dataPath } from '../config/data-directory.ts';
import { connect } from './client.ts';
import { Exit, type GlobalArgs } from './command.ts';
import { print, printJson, table } from './output.ts';
import { readPart } from './part.ts';
import { loadSettings } from './settings.ts';

const OnMachine = z.array(
  z.object({ kind: z.string(), what: z.string(), why: z.string(), mended: z.boolean() }),
);

type Args = GlobalArgs & { dryRun: boolean; stateDir: string | undefined };
type Difference = z.infer<typeof OnMachine>[number] & { where: 'machine' | 'fleet'; action?: string | null };

/** Finds, and unless told otherwise mends, what differs here and in the fleet. */
export async function reconcileWorker(args: Args): Promise<void> {
  const stateDir = resolve(args.stateDir ?? dataPath(loadSettings(args).config.dataDir, 'worker'));
  const here = await onMachine(stateDir, args.dryRun);
  const fleet = await inFleet(args);
  const found: Difference[] = [
    ...here.map((one) => ({ where: 'machine' as const, ...one })),
    ...(fleet ?? []).map((one) => ({ where: 'fleet' as const, ...one })),
  ];
  if (args.json) return printJson(found);
  if (found.length > 0) {
    const rows = table(found, [
      { title: 'WHERE', value: (one) => one.where },
      { title: 'KIND', value: (one) => one.kind },
      { title: 'WHAT', value: (one) => one.what },
      { title: 'WHY', value: (one) => one.why },
      { title: 'ACTION', value: (one) => one.action ?? (one.where === 'machine' ? 'it is removed' : '-') },
      { title: 'MENDED', value: (one) => (one.mended ? 'yes' : 'no') },
    ]);
    print(rows);
  } else print(`Nothing is left over in ${stateDir}.`);
  if (fleet === undefined) print('No daemon runs here: the fleet was not looked at.');
}

async function onMachine(stateDir: string, dryRun: boolean): Promise<z.infer<typeof OnMachine>> {
  let output = '';
  const words = ['--state-dir', stateDir, ...(dryRun ? ['--dry-run'] : [])];
  const code = await readPart('worker-agent/reconcile-cli.ts', words, (line) => (output += line));
  if (code !== 0) throw new Exit(code);
  return OnMachine.parse(JSON.parse(output));
}

/** Undefined where no daemon is to be found: a worker's machine has none, and need not. */
async function inFleet(args: Args): Promise<FleetDifference[] | undefined> {
  try {
    const body = { dryRun: args.dryRun };
    return await connect(args).send('POST', '/fleet/reconciliations', z.array(FleetDifference), body);
  } catch (error) {
    if (args.url === undefined && error instanceof AutocodeError && error.code === 'ERR_DAEMON_NOT_RUNNING')
      return undefined;
    throw error;
  }
}
