// The presets that are shipped: config/egress-presets/NAME.rules, in the language of the policy. Used where policies are read.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { requireRules, type Presets } from './parse.ts';

const DIRECTORY = join(import.meta.dirname, '../../../config/egress-presets');
const ENDING = '.rules';

/** Their rules, by name. */
export function readPresets(directory = DIRECTORY): Presets {
  const files = readdirSync(directory)
    .filter((file) => file.endsWith(ENDING))
    .toSorted();
  return new Map(
    files.map((file) => [
      basename(file, ENDING),
      requireRules(readFileSync(join(directory, file), 'utf8'), new Map()),
    ]),
  );
}
