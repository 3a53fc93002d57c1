// The fault table: at which named moment of a task's way which process is killed. Used by faults.test.ts.
// Moments are what the product itself says or leaves on disk there: steps in the run's event log, files, refs, hooks.
import { RUN_STEPS } from '../../../protocol/log.ts';

/** Steps of a run, then what lies before, between and after them. */
export type Moment =
  | (typeof RUN_STEPS)[number]
  | 'claimed'
  | 'runner-up'
  | 'planned'
  | 'approving'
  | 'reported'
  | 'handed-over'
  | 'branch-noted'
  | 'pushing'
  | 'pushed';

/** `agent`: a process in the sandbox. `git`: one that the runner or, from `handed-over` on, the daemon has started. */
export type Victim = 'daemon' | 'worker' | 'runner' | 'postgres' | 'agent' | 'git';

export interface Point {
  moment: Moment;
  victim: Victim;
  /** Milliseconds after the moment is announced. */
  offsetMs: number;
}

const BEFORE_AND_AFTER: [Moment, Victim[]][] = [
  ['claimed', ['daemon', 'worker', 'postgres']],
  ['runner-up', ['daemon', 'worker', 'runner', 'postgres']],
  ['planned', ['daemon', 'worker', 'runner', 'postgres']],
  ['approving', ['daemon', 'worker', 'postgres']],
  ['reported', ['daemon', 'worker', 'runner', 'postgres']],
  ['handed-over', ['daemon', 'worker', 'postgres', 'git']],
  ['branch-noted', ['daemon', 'postgres', 'git']],
  ['pushing', ['daemon', 'postgres', 'git']],
  ['pushed', ['daemon', 'postgres', 'git']],
];
const IN_SANDBOX: readonly Moment[] = ['base-verify', 'execute', 'verify', 'final-verify'];
const WITH_GIT: readonly Moment[] = ['base', 'workspace', 'push'];
const LONGEST_OFFSET_MS = 120;

/** Those of a task whose plan waits for approval. */
export const GATED: readonly Moment[] = ['planned', 'approving'];

/** Every pair of a moment and a process that lives then, killed as soon as the moment is announced. */
export function faultTable(): Point[] {
  const steps = RUN_STEPS.map((moment): [Moment, Victim[]] => [
    moment,
    [
      'daemon',
      'worker',
      'runner',
      'postgres',
      ...(IN_SANDBOX.includes(moment) ? (['agent'] as const) : []),
      ...(WITH_GIT.includes(moment) ? (['git'] as const) : []),
    ],
  ]);
  return [...steps, ...BEFORE_AND_AFTER].flatMap(([moment, victims]) =>
    victims.map((victim) => ({ moment, victim, offsetMs: 0 })),
  );
}

/** The same pairs again, each a random while after its moment. */
export function atRandomOffsets(points: Point[], random: () => number): Point[] {
  return points.map((point) => ({ ...point, offsetMs: Math.round(1 + random() * LONGEST_OFFSET_MS) }));
}

/** The points in a random order that is the same for the same seed. */
export function shuffled(points: Point[], random: () => number): Point[] {
  return points
    .map((point) => ({ point, key: random() }))
    .toSorted((one, other) => one.key - other.key)
    .map(({ point }) => point);
}

/** Numbers from 0 to 1 that follow from the seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
