// `autocode worker invite|invites|uninvite|join`: definitions. Handlers are in ../joining/.
import type { Argv } from 'yargs';
import { verb, type Verb } from '../command.ts';

export const joiningVerbs: Verb[] = [
  verb({
    command: 'invite',
    describe: 'Print the one command that makes another machine a worker',
    examples: [
      ['worker invite --name vm-2', ''],
      ['worker invite --ttl 10m --json', ''],
    ],
    epilogue:
      'Needs `tls` in the configuration. The token can be used once; it tells the machine which authority to trust.',
    builder: (yargs: Argv) =>
      yargs
        .option('name', {
          type: 'string',
          requiresArg: true,
          describe:
            "The worker's name, which it takes over from a worker that has it; its host's when left out",
        })
        .option('ttl', {
          type: 'string',
          requiresArg: true,
          default: '1h',
          describe: 'How long it can be used',
        }),
    load: async () => (await import('../joining/invite.ts')).inviteWorker,
  }),
  verb({
    command: 'invites',
    describe: 'List invitations for workers',
    examples: [['worker invites', '']],
    load: async () => (await import('../joining/invite.ts')).listInvites,
  }),
  verb({
    command: 'uninvite <id>',
    describe: 'Revoke an invitation; the token of a worker that has used it stays',
    examples: [['worker uninvite 3', '']],
    builder: (yargs: Argv) =>
      yargs.positional('id', { type: 'number', demandOption: true, describe: 'Number in `worker invites`' }),
    load: async () => (await import('../joining/invite.ts')).revokeInvite,
  }),
  verb({
    command: 'join <orchestrator>',
    describe: 'Make this machine a worker of an orchestrator elsewhere, by its invitation',
    examples: [['worker join https://10.0.0.5:7443 --token acj_…', 'as `worker invite` prints it']],
    epilogue:
      'The authority is held against the token before anything is sent; from then on only TLS that it vouches for is spoken. Interrupted: give the same command again.',
    builder: (yargs: Argv) =>
      yargs
        .positional('orchestrator', { type: 'string', demandOption: true, describe: 'Its address over TLS' })
        .option('token', {
          type: 'string',
          requiresArg: true,
          demandOption: true,
          describe: 'The invitation',
        })
        .option('name', {
          type: 'string',
          requiresArg: true,
          describe: "The worker's name, where the invitation has none; the host's when left out",
        })
        .option('config-dir', {
          type: 'string',
          requiresArg: true,
          default: '/etc/autocode',
          describe: 'Where the settings are written',
        }),
    load: async () => (await import('../joining/join.ts')).joinOrchestrator,
  }),
];
