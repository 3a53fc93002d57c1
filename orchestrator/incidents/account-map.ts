// Which accounts belong together, and what is theirs. Rules join accounts in pairs or more, in any order and in circles:
// what is joined with the same one is one group. Pure. Used by rules.ts.
import type { IncidentSettings } from '../config/incident-settings.ts';

/** An account as the configuration has it. */
export type Account = IncidentSettings['accounts'][number];

export interface AccountMap {
  /** What is known of an account. */
  of(account: string): Account | undefined;
  /** All accounts that are connected with this one, itself among them, in their order. */
  groupOf(account: string): readonly string[];
  /** Why accounts of a group are connected, where the rules tell. */
  reasonsFor(group: readonly string[]): string[];
}

/** Reads the map from the configuration. */
export function accountMap({
  accounts,
  connected,
}: Pick<IncidentSettings, 'accounts' | 'connected'>): AccountMap {
  const known = new Map(accounts.map((each) => [each.account, each]));
  const groups = groupsOf(connected.map((rule) => rule.accounts));
  return {
    of: (account) => known.get(account),
    groupOf: (account) => groups.get(account) ?? [account],
    reasonsFor: (group) =>
      connected.flatMap(({ accounts: [first], reason }) =>
        reason !== undefined && group.includes(first!) ? [reason] : [],
      ),
  };
}

// Each account points to another one of its group, and in the end to the one that stands for it.
function groupsOf(rules: string[][]): Map<string, readonly string[]> {
  const above = new Map<string, string>();
  const top = (account: string): string => {
    let at = account;
    for (let next = above.get(at); next !== undefined; next = above.get(at)) at = next;
    if (at !== account) above.set(account, at);
    return at;
  };
  for (const [first, ...others] of rules) {
    for (const other of others) {
      const [one, two] = [top(first!), top(other)];
      if (one !== two) above.set(two, one);
    }
  }
  const groups = Map.groupBy(new Set(rules.flat()), top);
  return new Map(
    [...groups.values()].flatMap((group) => {
      const sorted = group.toSorted();
      return group.map((each) => [each, sorted] as const);
    }),
  );
}
