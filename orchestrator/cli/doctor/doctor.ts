// `autocode doctor`: runs every check side by side and shows what to do about what is wrong.
import { loadConfig, type LoadedConfig } from '../../config/load.ts';
import { AutocodeError } from '../../../protocol/errors.ts';
import { Exit, type GlobalArgs } from '../command.ts';
import { block, paint, print, printJson } from '../output.ts';
import { checkDaemon, checkAgents, checkModels, checkSandbox, checkSecrets } from './parts.ts';
import { checkGpus } from './gpus.ts';
import {
  checkClock,
  checkDataDirectory,
  checkDisk,
  checkGit,
  checkMemory,
  checkNode,
  checkPorts,
  checkPostgres,
  checkUser,
} from './machine.ts';

/** What a check found; `remedy` says what to do unless it is ok. */
export interface Finding {
  state: 'ok' | 'warn' | 'fail';
  detail: string;
  remedy?: string;
}

/** A named check of the machine or of a part. */
export interface Check {
  name: string;
  run: (loaded: LoadedConfig) => Finding | Promise<Finding>;
}

const CHECKS: Check[] = [
  checkNode,
  checkGit,
  checkUser,
  checkDataDirectory,
  checkDisk,
  checkMemory,
  checkGpus,
  checkPostgres,
  checkPorts,
  checkClock,
  checkSandbox,
  checkDaemon,
  checkAgents,
  checkSecrets,
  checkModels,
];

const MARKS = { ok: ['green', '✓'], warn: ['yellow', '!'], fail: ['red', '✗'] } as const;

/** Checks this machine; exit code 1 if something fails. */
export async function doctor(args: GlobalArgs): Promise<void> {
  const findings = await findingsOf(args);
  if (args.json) printJson(findings);
  else for (const finding of findings) print(...lines(finding));
  const failed = findings.filter(({ state }) => state === 'fail').length;
  if (!args.json) print('', failed > 0 ? `${failed} to mend.` : 'Nothing stands in the way.');
  if (failed > 0) throw new Exit(1);
}

async function findingsOf(args: GlobalArgs): Promise<(Finding & { name: string })[]> {
  let loaded: LoadedConfig;
  try {
    loaded = loadConfig({ file: args.config, set: args.set });
  } catch (error) {
    return [{ name: 'configuration', ...failure(error) }];
  }
  const configuration: Finding = { state: 'ok', detail: loaded.file ?? 'defaults, no file' };
  const found = await Promise.all(
    CHECKS.map(async (check) => ({ name: check.name, ...(await attempt(check, loaded)) })),
  );
  return [{ name: 'configuration', ...configuration }, ...found];
}

async function attempt(check: Check, loaded: LoadedConfig): Promise<Finding> {
  try {
    return await check.run(loaded);
  } catch (error) {
    return failure(error);
  }
}

function failure(error: unknown): Finding {
  const remedy = error instanceof AutocodeError ? error.remedy : undefined;
  return {
    state: 'fail',
    detail: error instanceof Error ? error.message : String(error),
    ...(remedy === undefined ? {} : { remedy }),
  };
}

function lines({ name, state, detail, remedy }: Finding & { name: string }): string[] {
  const [style, mark] = MARKS[state];
  const head = `${paint(style, mark)} ${name.padEnd(14)} ${detail.split('\n').join('\n                 ')}`;
  return remedy === undefined || state === 'ok' ? [head] : [head, block([['                ', remedy]])];
}
