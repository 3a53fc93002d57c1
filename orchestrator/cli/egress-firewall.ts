// `autocode egress firewall …`: rules of this machine, by its configuration; no daemon is asked.
import { applyFirewall, firewallState, removeFirewall } from '../egress/firewall/firewall.ts';
import { troubleWith } from '../egress/firewall/interfaces.ts';
import { firewallPlan } from '../egress/firewall/plan.ts';
import { replacing, rulesetOf } from '../egress/firewall/ruleset.ts';
import { Exit, type GlobalArgs } from './command.ts';
import { block, print, printJson, table } from './output.ts';
import { loadSettings } from './settings.ts';

/** Puts the rules in force, or prints them. */
export async function applyRules(args: GlobalArgs & { dryRun: boolean; boot: boolean }): Promise<void> {
  const plan = planOf(args);
  if (args.dryRun) {
    const ruleset = replacing(rulesetOf(plan));
    const trouble = args.boot ? null : troubleWith(plan.interfaces);
    if (args.json) return printJson({ plan, ruleset, trouble });
    process.stdout.write(ruleset);
    if (trouble !== null) process.stderr.write(`On this machine it would be refused: ${trouble}\n`);
    return;
  }
  await applyFirewall(plan, args);
  if (args.json) return printJson({ plan, inForce: true });
  print(
    `The rules are in force for ${plan.interfaces.join(', ')}.`,
    'They go with the next restart unless autocode-firewall.service is enabled: systemctl enable autocode-firewall',
  );
}

/** Says how what is in force differs. */
export async function checkRules(args: GlobalArgs): Promise<void> {
  const { inForce, differences } = await firewallState(planOf(args));
  if (args.json) printJson({ inForce, differences });
  else if (differences.length === 0) print('The rules are in force, as they should be.');
  else print(...differences, 'Make it so: sudo autocode egress firewall apply');
  if (differences.length > 0) throw new Exit(1);
}

/** Explains. */
export async function showRules(args: GlobalArgs): Promise<void> {
  const plan = planOf(args);
  const state = await firewallState(plan);
  if (args.json) return printJson({ plan, ...state });
  const differing = 'not as configured (egress firewall check)';
  print(
    block([
      ['workers', `whoever comes in by ${plan.interfaces.join(', ')}`],
      ['web servers', `TCP 80 and 443 go to the egress proxy, port ${plan.transparentPort}`],
      ['names', `UDP and TCP 53 go to the resolver of the proxy, port ${plan.resolverPort}`],
      [
        'this host',
        plan.open.map(({ protocol, port, what }) => `${protocol} ${port} (${what})`).join(', ') ||
          'no other port',
      ],
      ['dropped', 'everything else: IPv6, UDP, other ports, addresses of cloud metadata'],
      ['in force', state.inForce ? (state.differences.length === 0 ? 'yes' : differing) : 'no'],
    ]),
  );
  const counted = state.counted.filter(({ packets }) => packets > 0);
  if (counted.length === 0) return;
  print(
    '',
    table(counted, [
      { title: 'SINCE THEN', value: ({ rule }) => rule },
      { title: 'PACKETS', value: ({ packets }) => String(packets), align: 'right' },
    ]),
  );
}

/** Takes the rules away. */
export async function removeRules(args: GlobalArgs): Promise<void> {
  const interfaces = await removeFirewall();
  if (args.json) return printJson({ removed: interfaces.length > 0, interfaces });
  if (interfaces.length === 0) return print('No rules are in force.');
  const names = interfaces.join(', ');
  print(
    'The rules are removed.',
    `Nothing that comes in by ${names} is forwarded, so workers have no way out; who wants them to says sysctl -w net.ipv4.conf.${interfaces[0]}.forwarding=1`,
  );
}

function planOf(args: GlobalArgs) {
  return firewallPlan(loadSettings(args).config);
}
