// `autocode egress firewall …`: definitions. The handlers are in ../egress-firewall.ts.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';

export const egressFirewallNoun: Noun = {
  noun: 'firewall',
  describe: 'What workers on other machines may reach by this host (docs/firewall.md)',
  verbs: [
    verb({
      command: 'apply',
      describe: 'Put the rules in force, all at once, in the place of those that were there',
      examples: [
        ['egress firewall apply --dry-run', 'print the rules, and what would be refused here; needs no root'],
        ['egress firewall apply', 'as root, and again after each change of the configuration'],
      ],
      epilogue: 'Neither the daemon nor its database is asked. Tables of others are not touched.',
      builder: (yargs: Argv) =>
        yargs
          .option('dry-run', {
            type: 'boolean',
            default: false,
            describe: 'Print what nft would be given, and change nothing',
          })
          .option('boot', {
            type: 'boolean',
            default: false,
            describe: 'The interfaces may come later, as autocode-firewall.service needs it',
          }),
      load: async () => (await import('../egress-firewall.ts')).applyRules,
    }),
    verb({
      command: 'check',
      describe: 'Compare the rules in force with those that should be; exit code 1 when they differ',
      examples: [['egress firewall check', 'as root']],
      load: async () => (await import('../egress-firewall.ts')).checkRules,
    }),
    verb({
      command: 'show',
      describe: 'Say in plain words what workers may reach, and what was dropped',
      examples: [['egress firewall show', 'as root']],
      load: async () => (await import('../egress-firewall.ts')).showRules,
    }),
    verb({
      command: 'remove',
      aliases: ['rm'],
      describe: 'Take the rules away, once nothing is forwarded for workers any more',
      examples: [['egress firewall remove', 'as root; workers have no way out then either']],
      load: async () => (await import('../egress-firewall.ts')).removeRules,
    }),
  ],
};
