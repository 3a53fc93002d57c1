// Options that bound what one run may take. Used by the verbs that make tasks, and projects for them.
import type { Argv } from 'yargs';

/** As `../limits.ts` reads them. */
export function limitOptions<A>(yargs: Argv<A>) {
  return yargs
    .option('deadline', { type: 'number', requiresArg: true, describe: 'Minutes that one run may take' })
    .option('iterations', {
      type: 'number',
      requiresArg: true,
      describe: 'How often a failing verify goes back to the agent',
    })
    .option('max-calls', { type: 'number', requiresArg: true, describe: 'Model calls of one run' })
    .option('max-tokens', {
      type: 'string',
      requiresArg: true,
      describe: 'Tokens of one run, cached ones counted in, as 40M',
    })
    .option('agent-turns', {
      type: 'number',
      requiresArg: true,
      describe: 'Model calls in one turn of claude-code-cli',
    })
    .option('agent-usd', {
      type: 'number',
      requiresArg: true,
      describe: 'Dollars in one turn of claude-code-cli, by its own prices',
    });
}
