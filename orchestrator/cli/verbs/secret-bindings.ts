// `autocode secret bind | unbind | bindings | leases`: definitions. Handlers are in ../secret-bindings.ts.
import type { Argv } from 'yargs';
import { verb } from '../command.ts';

const handlers = async () => await import('../secret-bindings.ts');

/** A part of the noun `secret`. */
export const bindingVerbs = [
  verb({
    command: 'bind <name>',
    describe: 'Let a secret go to a host: runs hold a placeholder, which the egress proxy swaps there',
    examples: [
      ['secret bind npm-token --host registry.npmjs.org --as bearer --env NPM_TOKEN', ''],
      ['secret bind forge-key --host git.corp.example --path "/shop/**" --as basic --env GIT_TOKEN', ''],
      ['secret bind stripe --host api.stripe.com --as header:X-Api-Key --env STRIPE_KEY --project shop', ''],
    ],
    epilogue: 'The egress policy has to allow the requests too. See docs/injection.md.',
    builder: (yargs: Argv) =>
      yargs
        .positional('name', { type: 'string', demandOption: true, describe: 'Name of the secret' })
        .option('host', {
          type: 'string',
          demandOption: true,
          requiresArg: true,
          describe: 'Where it may go, as in the egress policy; with http:// before it over plain HTTP too',
        })
        .option('as', {
          type: 'string',
          demandOption: true,
          requiresArg: true,
          describe: 'Where it stands: bearer, basic, basic:USER or header:NAME',
        })
        .option('env', {
          type: 'string',
          demandOption: true,
          requiresArg: true,
          describe: 'Variable in the sandbox that holds the placeholder',
        })
        .option('method', {
          type: 'string',
          requiresArg: true,
          describe: 'Methods in capitals, with commas; all when left out',
        })
        .option('path', {
          type: 'string',
          requiresArg: true,
          describe: 'Path, with * for a segment and ** at its end for the rest; all when left out',
        })
        .option('project', { type: 'string', requiresArg: true, describe: 'For runs of this project alone' }),
    load: async () => (await handlers()).bindSecret,
  }),
  verb({
    command: 'unbind <binding>',
    describe: 'Remove a binding; runs have the secret no more',
    examples: [['secret unbind 3', '']],
    builder: (yargs: Argv) =>
      yargs.positional('binding', {
        type: 'number',
        demandOption: true,
        describe: 'Its number in `secret bindings`',
      }),
    load: async () => (await handlers()).unbindSecret,
  }),
  verb({
    command: 'bindings',
    describe: 'List where secrets may go',
    examples: [['secret bindings --project shop', '']],
    builder: (yargs: Argv) =>
      yargs.option('project', {
        type: 'string',
        requiresArg: true,
        describe: 'Those that hold for a project',
      }),
    load: async () => (await handlers()).listBindings,
  }),
  verb({
    command: 'leases',
    describe: 'List which runs have which secrets lent',
    examples: [['secret leases', '']],
    builder: (yargs: Argv) =>
      yargs
        .option('run', { type: 'string', requiresArg: true, describe: 'Those of a run' })
        .option('all', { type: 'boolean', default: false, describe: 'Those that have ended too' }),
    load: async () => (await handlers()).listLeases,
  }),
];
