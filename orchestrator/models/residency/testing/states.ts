// States for the tests of the decision loop: two cards of 24,564 MiB, models in short, and arbitrary ones for properties.
import fc from 'fast-check';
import type { Candidate, Card, Instance, Placement, ResidencyState } from '../state.ts';

export const NOW = 10_000_000;
export const TOTAL_MIB = 24_564;

/** A model that needs so much of one GPU, or of both. */
export function model(
  name: string,
  mib: number,
  more: Partial<Candidate> & { both?: boolean } = {},
): Candidate {
  const { both = false, ...given } = more;
  return {
    model: name,
    placements: (both ? [[0, 1]] : [[0], [1]]).map((gpus) => ({ gpus, mib })),
    asleepMib: 700,
    asleepHostMib: 5_000,
    load: 'on-demand',
    sleepLevel: 1,
    idleMs: 900_000,
    loadMs: 60_000,
    wakeMs: 3_000,
    replicas: { min: 1, max: 1 },
    notBefore: 0,
    rate: 0,
    sequences: 4,
    waiting: 0,
    oldest: null,
    ...given,
  };
}

/** So many requests that have waited for so long. */
export function waits(waiting: number, seconds: number): Pick<Candidate, 'waiting' | 'oldest'> {
  return { waiting, oldest: NOW - seconds * 1000 };
}

/** A replica on the model's first placement, ready for ten minutes and unused for five, unless told otherwise. */
export function replica(of: Candidate, more: Partial<Instance> = {}): Instance {
  return {
    model: of.model,
    replica: 0,
    state: 'ready',
    placement: of.placements[0]!,
    inFlight: 0,
    since: NOW - 600_000,
    usedAt: NOW - 300_000,
    ...more,
  };
}

export function card(index: number, more: Partial<Card> = {}): Card {
  return { index, totalMib: TOTAL_MIB, foreignMib: 0, usable: true, ...more };
}

export function state(
  candidates: Candidate[],
  instances: Instance[] = [],
  more: Partial<ResidencyState> = {},
): ResidencyState {
  const cards = [card(0), card(1)];
  return {
    now: NOW,
    cards,
    candidates,
    instances,
    hostMib: 64_000,
    residencyMs: 60_000,
    longestWaitMs: 60_000,
    ...more,
  };
}

/** MiB of a card that instances have now. */
export function heldMib({ instances, candidates }: ResidencyState, gpu: number): number {
  return instances
    .filter(({ placement }) => placement.gpus.includes(gpu))
    .reduce((sum, instance) => {
      const { asleepMib } = candidates.find((candidate) => candidate.model === instance.model)!;
      const { mib } = instance.placement;
      return sum + (instance.state === 'asleep' ? Math.min(mib, asleepMib) : mib);
    }, 0);
}

const anyCandidate = (name: string): fc.Arbitrary<Candidate> =>
  fc
    .record({
      both: fc.boolean(),
      mib: fc.integer({ min: 1_000, max: 23_000 }),
      load: fc.constantFrom('on-demand', 'on-demand', 'on-demand', 'preloaded', 'pinned'),
      sleepLevel: fc.constantFrom(0, 1, 2),
      loadMs: fc.integer({ min: 30_000, max: 100_000 }),
      wakeMs: fc.integer({ min: 100, max: 6_000 }),
      most: fc.integer({ min: 1, max: 2 }),
      rate: fc.integer({ min: 0, max: 10 }),
      waiting: fc.constantFrom(0, 0, 1, 5),
      waited: fc.integer({ min: 0, max: 200 }),
      notBefore: fc.constantFrom(0, 0, 0, NOW + 1),
    })
    .map(({ both, mib, most, waiting, waited, ...rest }) =>
      model(name, mib, {
        both,
        ...rest,
        replicas: { min: 1, max: both ? 1 : most },
        ...(waiting === 0 ? {} : waits(waiting, waited)),
      }),
    );

const anyInstance = (candidate: Candidate): fc.Arbitrary<Instance | undefined> =>
  fc.option(
    fc
      .record({
        placement: fc.constantFrom<Placement[]>(...candidate.placements),
        now: fc.constantFrom<Instance['state'][]>('ready', 'ready', 'asleep', 'loading', 'stopping'),
        inFlight: fc.constantFrom(0, 0, 3),
        since: fc.integer({ min: 0, max: 2_000 }),
        used: fc.integer({ min: 0, max: 2_000 }),
      })
      .map(({ placement, now, inFlight, since, used }) =>
        replica(candidate, {
          placement,
          state: now,
          inFlight: now === 'ready' ? inFlight : 0,
          since: NOW - since * 1000,
          usedAt: NOW - used * 1000,
        }),
      ),
    { nil: undefined },
  );

/** States that can be: what runs fits on the cards, unless one of them is lost or a stranger came. */
export function anyState(models: number): fc.Arbitrary<ResidencyState> {
  const names = Array.from({ length: models }, (_, index) => `m${index}`);
  return fc.tuple(...names.map(anyCandidate)).chain((candidates) =>
    fc
      .record({
        instances: fc.tuple(...candidates.map(anyInstance)),
        foreignMib: fc.constantFrom(0, 0, 3_000, 20_000),
        usable: fc.constantFrom(true, true, true, false),
        hostMib: fc.constantFrom(0, 8_000, 64_000),
      })
      .map(({ instances, foreignMib, usable, hostMib }) => {
        const made = state(candidates, [], {
          cards: [card(0, { foreignMib }), card(1, { usable })],
          hostMib,
        });
        const all = { ...made, cards: [card(0), card(1)] };
        for (const instance of instances) {
          if (instance === undefined) continue;
          const next = { ...all, instances: [...made.instances, instance] };
          if ([0, 1].every((gpu) => heldMib(next, gpu) <= TOTAL_MIB))
            Object.assign(made, { instances: next.instances });
        }
        return made;
      }),
  );
}
