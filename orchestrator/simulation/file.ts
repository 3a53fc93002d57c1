// Scenarios as files: those that are shipped, by their names, and others by their paths. Used by the verb and the tests.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AutocodeError } from '../../protocol/errors.ts';
import { Scenario } from '../../protocol/scenario.ts';
import { MOST_PROBLEMS, parseStrictYaml, problemsOf, told } from '../config/strict-yaml.ts';

const SHIPPED = join(import.meta.dirname, '../../config/scenarios');
const MAX_BYTES = 64 << 20;

/** Names of the shipped scenarios. */
export function shippedScenarios(): string[] {
  return readdirSync(SHIPPED)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => basename(file, '.yaml'))
    .toSorted();
}

/** Reads a scenario; everything that is wrong with it is told with its line. */
export function readScenario(nameOrPath: string): Scenario {
  const shipped = shippedScenarios().includes(nameOrPath);
  const path = shipped ? join(SHIPPED, `${nameOrPath}.yaml`) : nameOrPath;
  const yaml = parseStrictYaml(bytesOf(path), MAX_BYTES);
  const read = 'problems' in yaml ? undefined : Scenario.safeParse(yaml.document.toJS({ maxAliasCount: 0 }));
  if (read?.success === true) return read.data;
  const problems =
    'problems' in yaml ? yaml.problems : problemsOf(read!.error!.issues, yaml, Object.keys(Scenario.shape));
  throw new AutocodeError('ERR_INVALID_INPUT', `The scenario ${path} is not valid: ${told(problems)}`, {
    remedy: 'docs/simulation.md says what a scenario may have.',
    details: { path, problems: problems.slice(0, MOST_PROBLEMS) },
  });
}

function bytesOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new AutocodeError('ERR_NOT_FOUND', `There is no scenario ${path}.`, {
      remedy: `Name a file, or one of ${shippedScenarios().join(', ')}.`,
      cause,
    });
  }
}
