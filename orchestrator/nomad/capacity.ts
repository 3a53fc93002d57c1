// Why Nomad could not place something, in words: which dimension lacks on how many nodes. Used by deploy.ts, rollout.ts and the
// dispatcher.
import type { PlacementFailure } from './answers.ts';

const WORDS: [RegExp, string][] = [
  [/^memory/, 'memory is used up'],
  [/^(cores|cpu)/, 'cores are used up'],
  [/^disk/, 'disk space is used up'],
  [/port collision|network/, 'a port is taken'],
  [/distinct_hosts/, 'one is there already'],
  [/missing compatible host volumes/, 'the host volumes autocode and autocode-runner are missing'],
  [/missing drivers/, 'the exec driver is missing'],
];

/** One line for each group that was not placed whole. */
export function shortageOf(failures: Record<string, PlacementFailure>): string[] {
  return Object.entries(failures).map(([group, failure]) => {
    const words = [
      ...Object.entries({ ...failure.exhausted, ...failure.filtered }).map(
        ([what, nodes]) => `${WORDS.find(([pattern]) => pattern.test(what))?.[1] ?? what} on ${nodes}`,
      ),
      ...failure.quota.map((what) => `the quota of the namespace is reached (${what})`),
    ];
    if (words.length === 0) words.push(nothingThere(failure));
    const nodes = failure.nodes === 1 ? '1 node' : `${failure.nodes} nodes`;
    return `${group}: ${failure.unplaced} cannot be placed; of ${nodes} ${words.join(', ')}`;
  });
}

function nothingThere({ available }: PlacementFailure): string {
  const datacenters = Object.keys(available);
  return datacenters.length === 0
    ? 'no node is ready'
    : `no node of ${datacenters.join(', ')} is ready and takes allocations`;
}
