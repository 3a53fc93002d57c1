// The firewall in front of workers on other machines: put in force, compared, taken away. It fails closed: rules come before anything
// that could let workers out, and go after it. Root on the appliance's host, without the daemon. Used by `autocode egress firewall`.
import { AutocodeError } from '../../../protocol/errors.ts';
import { checkInterfaces, forwarding, stopForwarding } from './interfaces.ts';
import { differencesOf, type Counted } from './listing.ts';
import { listAsLoaded, listInForce, transact } from './nft.ts';
import type { FirewallPlan } from './plan.ts';
import { removing, replacing, rulesetOf } from './ruleset.ts';

export interface FirewallState {
  inForce: boolean;
  /** How what is in force differs from what should be, in words. */
  differences: string[];
  counted: Counted[];
}

/**
 * Puts the rules in force, in the place of those that were there; again and again is no harm. With `boot` the interfaces may come later:
 * the rules go by their names.
 */
export async function applyFirewall(plan: FirewallPlan, { boot }: { boot: boolean }): Promise<void> {
  requireRoot('apply');
  if (!boot) checkInterfaces(plan.interfaces);
  const ruleset = rulesetOf(plan);
  const wanted = await listAsLoaded(ruleset);
  await transact(replacing(ruleset));
  const inForce = await listInForce();
  const differences = inForce === null ? ['the table is not there'] : differencesOf(wanted, inForce);
  if (differences.length > 0) {
    throw new AutocodeError('ERR_FIREWALL', `The rules were loaded, and differ by now: ${differences[0]}.`, {
      remedy: 'See what else changes rules on this host, then apply again.',
      details: differences,
    });
  }
  stopForwarding(plan.interfaces);
}

/** How things are. */
export async function firewallState(plan: FirewallPlan): Promise<FirewallState> {
  requireRoot('check');
  const inForce = await listInForce();
  const differences =
    inForce === null
      ? ['no rules are in force']
      : differencesOf(await listAsLoaded(rulesetOf(plan)), inForce);
  for (const name of forwarding(plan.interfaces)) {
    const danger = inForce === null ? 'workers may get out' : 'without the rules workers would get out';
    differences.push(`forwarding is on for ${name}: ${danger}`);
  }
  return { inForce: inForce !== null, differences, counted: inForce?.counted ?? [] };
}

/** Takes the rules away, once nothing is forwarded that comes in by the interfaces that they are for; answers with these. */
export async function removeFirewall(): Promise<string[]> {
  requireRoot('remove');
  const inForce = await listInForce();
  if (inForce === null) return [];
  stopForwarding(inForce.interfaces);
  await transact(removing());
  return inForce.interfaces;
}

function requireRoot(verb: string): void {
  if (process.getuid?.() === 0) return;
  throw new AutocodeError('ERR_FORBIDDEN', 'Rules of the firewall are for root alone.', {
    remedy: `Say: sudo autocode egress firewall ${verb}`,
  });
}
