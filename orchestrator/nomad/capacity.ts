// Why Nomad could not place something, in words: which dimension lacks on how many nodes. Used by deploy.ts, rollout.ts and the
// dispatcher.
import type { PlacementFailure } from './answers.ts';

const DIMENSIONS: [RegExp, string][] = [
  [/^memory/, 'memory is used up'],
  [/^(cores|cpu)/, 'cores are used up'],
  [/^disk/, 'disk space is used up'],
  [/port collision|network/, 'a port is taken'],
];
const CONSTRAINTS: [RegExp, string][] = [
  [/distinct_hosts/, 'already has one'],
  [/missing compatible host volumes/, 'has not the host volumes autocode and autocode-runner'],
  [/missing drivers/, 'has not the exec driver'],
];

/** One line for each group that was not placed whole. */
export function shortageOf(failures: Record<string, PlacementFailure>): string[] {
  return Object.entries(failures).map(([group, failure]) => {
    const words = [
      ...Object.entries(failure.exhausted).map(
        ([what, nodes]) => `${named(DIMENSIONS, what)} on ${count(nodes)}`,
      ),
      ...Object.entries(failure.filtered).map(
        ([what, nodes]) => `${count(nodes)} ${named(CONSTRAINTS, what)}`,
      ),
      ...failure.quota.map((what) => `the quota of the namespace is reached (${what})`),
    ];
    if (words.length === 0) words.push(nothingThere(failure));
    return `${group}: ${failure.unplaced} cannot be placed: ${words.join('; ')} (of ${count(failure.nodes)})`;
  });
}

function nothingThere({ available }: PlacementFailure): string {
  const datacenters = Object.keys(available);
  return datacenters.length === 0
    ? 'no node is ready'
    : `no node of ${datacenters.join(', ')} is ready and takes allocations`;
}

function named(words: [RegExp, string][], what: string): string {
  return words.find(([pattern]) => pattern.test(what))?.[1] ?? what;
}

function count(nodes: number): string {
  return nodes === 1 ? '1 node' : `${nodes} nodes`;
}
