// `autocode schedule record`.
import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { AutocodeError } from '../../../protocol/errors.ts';
import { Scenario } from '../../../protocol/scenario.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { timeOf } from '../egress.ts';
import { print, printJson } from '../output.ts';

/** Writes what happened since a time as a scenario. */
export async function recordScenario(args: GlobalArgs & { since: string; out: string }): Promise<void> {
  const since = timeOf(args.since, Date.now());
  const scenario = await connect(args).get('/scenario', Scenario, { since });
  const text = `# Play it with \`autocode schedule simulate\`; docs/simulation.md says what each key is.\n${stringify(scenario)}`;
  try {
    writeFileSync(args.out, text, { flag: 'wx' });
  } catch (cause) {
    throw new AutocodeError(
      'ERR_INVALID_INPUT',
      `${args.out} cannot be written: ${(cause as Error).message}.`,
      {
        remedy: 'Name a file that is not there yet.',
        cause,
      },
    );
  }
  const arrivals = scenario.arrivals.length;
  if (args.json) printJson({ file: args.out, arrivals });
  else print(`${args.out}: ${arrivals} arrivals. Play it with \`autocode schedule simulate ${args.out}\`.`);
}
