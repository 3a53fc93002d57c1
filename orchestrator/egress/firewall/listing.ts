// What nftables lists of our table, and how two such lists differ, in words. Both come from the same nft, so that nothing here needs to
// know how a version of it writes rules. Pure; used by firewall.ts.
import { z } from 'zod';

export interface Counted {
  /** The rule's comment. */
  rule: string;
  packets: number;
  bytes: number;
}

export interface Listing {
  /** Each table, set, chain and rule by words for it, as text that is the same where they are the same. */
  items: Map<string, string>;
  /** The rules of each chain in their order, by the same words. */
  order: Map<string, string[]>;
  interfaces: string[];
  counted: Counted[];
}

const Described = z.object({
  name: z.string().optional(),
  chain: z.string().optional(),
  comment: z.string().optional(),
  elem: z.array(z.unknown()).optional(),
  expr: z.array(z.record(z.string(), z.unknown())).optional(),
});
const Listed = z.object({ nftables: z.array(z.record(z.string(), z.unknown())) });
const Counter = z.object({ packets: z.number(), bytes: z.number() });

/** Reads `nft --json list table`. */
export function readListing(text: string): Listing {
  const listing: Listing = { items: new Map(), order: new Map(), interfaces: [], counted: [] };
  for (const entry of Listed.parse(JSON.parse(text)).nftables) {
    for (const [kind, value] of Object.entries(entry)) {
      if (kind !== 'metainfo') take(listing, kind, Described.parse(value), value);
    }
  }
  return listing;
}

function take(listing: Listing, kind: string, described: z.infer<typeof Described>, value: unknown): void {
  const { name = '', chain, comment, elem = [], expr = [] } = described;
  const words =
    chain === undefined
      ? `the ${kind} ${name}`
      : `the rule "${comment ?? '(without a comment)'}" of ${chain}`;
  if (chain !== undefined) listing.order.set(chain, [...(listing.order.get(chain) ?? []), words]);
  if (name === 'workers') listing.interfaces = elem.map(String);
  for (const part of expr) {
    const counter = Counter.safeParse(part.counter).data;
    if (counter !== undefined) listing.counted.push({ rule: comment ?? '', ...counter });
  }
  listing.items.set(words, JSON.stringify(value, canonical));
}

// Without what is counted, and with sets in one order.
function canonical(key: string, value: unknown): unknown {
  if (key === 'handle') return undefined;
  if (key === 'counter') return null;
  if (['elem', 'set'].includes(key) && Array.isArray(value))
    return value.map((each) => JSON.stringify(each)).toSorted();
  return value;
}

/** What is in force otherwise than wanted; none where all is as it should be. */
export function differencesOf(wanted: Listing, inForce: Listing): string[] {
  const differences: string[] = [];
  for (const [words, value] of wanted.items) {
    const found = inForce.items.get(words);
    if (found === undefined) differences.push(`${words} is missing`);
    else if (found !== value) differences.push(`${words} is not as it should be`);
  }
  for (const words of inForce.items.keys())
    if (!wanted.items.has(words)) differences.push(`${words} is not from here`);
  if (differences.length > 0) return differences;
  for (const [chain, rules] of wanted.order)
    if (rules.join('\n') !== inForce.order.get(chain)?.join('\n'))
      differences.push(`the rules of ${chain} are not in their order, or one is there twice`);
  return differences;
}
