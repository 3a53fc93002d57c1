// `autocode egress …`: definitions. The handler is in ../egress.ts; the verbs of policy, proxy, firewall and audit are in
// egress-policy.ts, egress-proxy.ts, egress-firewall.ts and egress-audit.ts.
import type { Argv } from 'yargs';
import { verb, type Noun } from '../command.ts';
import { egressAuditNouns } from './egress-audit.ts';
import { egressFirewallNoun } from './egress-firewall.ts';
import { egressPolicyNoun } from './egress-policy.ts';
import { egressProxyVerbs } from './egress-proxy.ts';

export const egressNoun: Noun = {
  noun: 'egress',
  describe: 'Requests that left the appliance',
  verbs: [
    verb({
      command: 'list',
      aliases: ['ls'],
      describe: 'List model calls that went to engines outside, newest first',
      examples: [
        ['egress list --project shop --since 7d', 'of the last seven days'],
        ['egress list --run 12-1 --json', 'what one run has sent where'],
      ],
      epilogue:
        'Projects use engines outside only after `model policy PROJECT --external`. Records are kept for retention.egressDays.',
      builder: (yargs: Argv) =>
        yargs
          .option('run', { type: 'string', requiresArg: true, describe: 'Of this run only, as 12-1' })
          .option('project', {
            alias: 'p',
            type: 'string',
            requiresArg: true,
            describe: 'Of this project only, its keys counted in',
          })
          .option('since', {
            type: 'string',
            requiresArg: true,
            describe: 'From then on: 7d, 12h, or a time as 2026-01-31T08:00Z',
          })
          .option('limit', { type: 'number', default: 100, requiresArg: true, describe: 'How many at most' }),
      load: async () => (await import('../egress.ts')).listEgress,
    }),
    egressPolicyNoun,
    ...egressProxyVerbs,
    egressFirewallNoun,
    ...egressAuditNouns,
  ],
};
