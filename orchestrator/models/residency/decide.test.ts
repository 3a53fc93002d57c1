import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decide } from './decide.ts';
import type { Decision, ResidencyState } from './state.ts';
import { anyState, card, heldMib, model, NOW, replica, state, waits } from './testing/states.ts';

/** Decisions in short: `load big on 0,1`, `sleep small/0`. */
function inShort(decisions: readonly Decision[]): string[] {
  return decisions.map((decision) =>
    decision.action === 'load'
      ? `load ${decision.model} on ${decision.placement.gpus.join(',')}`
      : `${decision.action} ${decision.model}/${decision.replica}`,
  );
}

const big = model('big', 20_000, { both: true });
const other = model('other', 20_000, { both: true });
const medium = model('medium', 20_000);
const small = model('small', 6_000);
const tiny = model('tiny', 3_000);

const rules: [name: string, given: ResidencyState, decided: string[]][] = [
  ['nothing happens while nobody asks for anything', state([big, small]), []],
  ['a model that is waited for is loaded', state([{ ...small, ...waits(1, 0) }]), ['load small on 0']],
  [
    'pinned and preloaded models are loaded, one at a time on a card',
    state([
      { ...small, load: 'pinned' },
      { ...tiny, load: 'preloaded' },
      { ...medium, load: 'preloaded' },
    ]),
    ['load small on 0', 'load medium on 1'],
  ],
  [
    'what is only preloaded waits until those that are waited for are there',
    state([
      { ...big, ...waits(1, 1) },
      { ...tiny, load: 'preloaded' },
    ]),
    ['load big on 0,1'],
  ],
  [
    'two small models share a card',
    state(
      [
        { ...tiny, ...waits(1, 0) },
        { ...medium, load: 'pinned' },
        { ...small, ...waits(1, 0) },
      ],
      [replica(medium, { placement: { gpus: [1], mib: 20_000 } }), replica(tiny)],
    ),
    ['load small on 0'],
  ],
  [
    'an idle model sleeps for one that is waited for',
    state([{ ...big, ...waits(2, 1) }, medium], [replica(medium)]),
    ['sleep medium/0'],
  ],
  [
    'it is unloaded when it may not sleep',
    state(
      [
        { ...big, ...waits(2, 1) },
        { ...medium, sleepLevel: 0 },
      ],
      [replica(medium)],
    ),
    ['unload medium/0'],
  ],
  [
    'it is unloaded when the machine has no memory for what sleeps',
    state([{ ...big, ...waits(2, 1) }, medium], [replica(medium)], { hostMib: 4_000 }),
    ['unload medium/0'],
  ],
  [
    'the memory of one that still stops is not given away',
    state([{ ...big, ...waits(2, 1) }, medium], [replica(medium, { state: 'stopping' })]),
    [],
  ],
  [
    'a model asleep leaves room for others, and is woken where it was',
    state(
      [{ ...big, ...waits(1, 0) }, medium],
      [replica(big, { state: 'asleep' }), replica(medium, { state: 'asleep' })],
    ),
    ['wake big/0'],
  ],
  [
    'requests in flight protect a model',
    state([{ ...big, ...waits(3, 30) }, medium], [replica(medium, { inFlight: 1 })]),
    [],
  ],
  [
    'requests that wait for a loaded model go before a swap',
    state(
      [
        { ...big, ...waits(3, 30) },
        { ...medium, ...waits(1, 1) },
      ],
      [replica(medium)],
    ),
    [],
  ],
  [
    'after the longest wait it is the turn of the model that waits: the other one takes no more requests',
    state(
      [
        { ...big, ...waits(1, 130) },
        { ...medium, ...waits(9, 10) },
      ],
      [replica(medium, { inFlight: 4 })],
      {
        longestWaitMs: 60_000,
      },
    ),
    ['drain medium/0'],
  ],
  [
    'and sleeps when those that it had are done',
    state(
      [
        { ...big, ...waits(1, 130) },
        { ...medium, ...waits(9, 10) },
      ],
      [replica(medium)],
    ),
    ['sleep medium/0'],
  ],
  [
    'a model in use stays for its residency though it is the turn of another',
    state(
      [
        { ...big, ...waits(1, 130) },
        { ...medium, ...waits(9, 10) },
      ],
      [replica(medium, { inFlight: 4, since: NOW - 50_000 })],
    ),
    [],
  ],
  [
    'a pinned model gives way to nobody',
    state(
      [
        { ...big, ...waits(9, 500) },
        { ...medium, load: 'pinned' },
      ],
      [replica(medium)],
    ),
    [],
  ],
  [
    'of two idle models the one that is asked for less goes',
    state(
      [
        { ...medium, ...waits(1, 30) },
        { ...small, rate: 20 },
        { ...tiny, model: 'rare' },
      ],
      [
        replica({ ...small, model: 'small' }, { usedAt: NOW - 20_000, placement: { gpus: [0], mib: 6_000 } }),
        replica({ ...tiny, model: 'rare' }, { usedAt: NOW - 800_000, placement: { gpus: [1], mib: 6_000 } }),
      ],
    ),
    ['sleep rare/0'],
  ],
  [
    'an idle model that came lately stays between two requests',
    state(
      [{ ...big, ...waits(1, 2) }, medium],
      [replica(medium, { since: NOW - 10_000, usedAt: NOW - 1_000 })],
    ),
    [],
  ],
  [
    'a model that was idle for its time sleeps, a preloaded one stays',
    state(
      [medium, { ...small, load: 'preloaded' }],
      [
        replica(medium, { since: 0, usedAt: NOW - 900_000 }),
        replica(small, { since: 0, usedAt: 0, placement: { gpus: [1], mib: 6_000 } }),
      ],
    ),
    ['sleep medium/0'],
  ],
  [
    'preloaded models that do not fit together do not take turns',
    state(
      [
        { ...big, load: 'preloaded' },
        { ...medium, load: 'preloaded', loadMs: 100_000 },
        { ...small, load: 'preloaded', loadMs: 100_000 },
      ],
      [replica(big)],
    ),
    [],
  ],
  [
    'a model that failed is not tried before its time',
    state([{ ...small, ...waits(1, 5), notBefore: NOW + 1 }]),
    [],
  ],
  [
    'the memory of strangers is not counted on',
    state([{ ...small, ...waits(1, 5) }], [], { cards: [card(0, { foreignMib: 20_000 }), card(1)] }),
    ['load small on 1'],
  ],
  [
    'a model on a lost card is unloaded though it is in use, and placed on the other one',
    state([{ ...small, ...waits(1, 0) }], [replica(small, { inFlight: 2 })], {
      cards: [card(0, { usable: false }), card(1)],
    }),
    ['unload small/0', 'load small on 1'],
  ],
  [
    'beside a model that is being loaded nothing comes and nothing goes',
    state(
      [{ ...tiny, ...waits(3, 30) }, small, { ...medium, load: 'pinned' }],
      [replica(small, { state: 'loading' }), replica(medium, { placement: { gpus: [1], mib: 20_000 } })],
    ),
    ['load tiny on 1'],
  ],
  [
    'a full replica gets a second one',
    state([{ ...small, replicas: { min: 1, max: 2 }, ...waits(3, 4) }], [replica(small, { inFlight: 4 })]),
    ['load small on 1'],
  ],
  ['never more than the most', state([{ ...small, ...waits(3, 4) }], [replica(small, { inFlight: 4 })]), []],
  [
    'busy GPUs are a reason for another replica as well',
    state([{ ...small, replicas: { min: 1, max: 2 } }], [replica(small, { inFlight: 3, utilisation: 97 })]),
    ['load small on 1'],
  ],
  [
    'one that sleeps is woken for it',
    state(
      [{ ...small, replicas: { min: 1, max: 2 } }],
      [
        replica(small, { inFlight: 3, utilisation: 97 }),
        replica(small, { replica: 1, state: 'asleep', placement: { gpus: [1], mib: 6_000 } }),
      ],
    ),
    ['wake small/1'],
  ],
  [
    'and it goes when the others do without it',
    state(
      [{ ...small, replicas: { min: 1, max: 2 } }],
      [replica(small, { inFlight: 1 }), replica(small, { replica: 1, placement: { gpus: [1], mib: 6_000 } })],
    ),
    ['sleep small/1'],
  ],
  [
    'two replicas that a model has at least stay',
    state(
      [{ ...small, load: 'preloaded', replicas: { min: 2, max: 2 } }],
      [replica(small), replica(small, { replica: 1, placement: { gpus: [1], mib: 6_000 } })],
    ),
    [],
  ],
  [
    'what the catalogue has no longer goes when it is idle',
    state([], [replica(small), replica(tiny, { inFlight: 1 })]),
    ['unload small/0'],
  ],
  [
    'what is asleep goes only where its memory is needed',
    state(
      [{ ...medium, ...waits(1, 1), placements: [{ gpus: [0], mib: 23_900 }] }, small, tiny],
      [
        replica(small, { state: 'asleep' }),
        replica(tiny, { state: 'asleep', placement: { gpus: [1], mib: 3_000 } }),
      ],
    ),
    ['unload small/0'],
  ],
];

for (const [name, given, decided] of rules) {
  test(name, () => assert.deepEqual(inShort(decide(given)), decided));
}

test('every decision says why, in words', () => {
  const why = (given: ResidencyState) => decide(given).map(({ reason }) => reason);
  assert.deepEqual(
    why(state([{ ...big, ...waits(3, 4) }, medium], [replica(medium, { usedAt: NOW - 720_000 })])),
    ['medium is put to sleep: idle for 10 min, and big is waited for by 3 requests for 4 s'],
  );
  assert.deepEqual(why(state([{ ...other, ...waits(1, 0) }])), [
    'other is loaded on GPUs 0 and 1: waited for by 1 request for 0 s',
  ]);
  const turn = state([{ ...big, ...waits(1, 130) }, medium], [replica(medium, { inFlight: 4 })]);
  assert.deepEqual(why(turn), [
    'medium is put to sleep when 4 requests that it works on are done: it had its time, and big is waited for by 1 request for 2 min',
  ]);
  const lost = state([{ ...small, ...waits(1, 0) }], [replica(small)], {
    cards: [card(0, { usable: false }), card(1)],
  });
  assert.deepEqual(why(lost), [
    'small is unloaded: GPU 0 cannot be used any more',
    'small is loaded on GPU 1: GPU 0 cannot be used any more',
  ]);
  assert.deepEqual(
    decide(lost).map((decision) => 'as' in decision && decision.as),
    ['degrade', 'degrade'],
  );
});

test('decisions need no more of a card than is there now, and leave alone what is in use', () => {
  fc.assert(
    fc.property(anyState(7), (given) => {
      const usable = new Set(given.cards.filter((one) => one.usable).map(({ index }) => index));
      const held = new Map(given.cards.map(({ index }) => [index, heldMib(given, index)]));
      const asleep = (name: string) =>
        given.candidates.find((candidate) => candidate.model === name)!.asleepMib;
      for (const decision of decide(given)) {
        const instance = given.instances.find(
          (one) => one.model === decision.model && one.replica === decision.replica,
        );
        if (decision.action === 'load' || decision.action === 'wake') {
          const { gpus, mib } = decision.action === 'load' ? decision.placement : instance!.placement;
          const had = decision.action === 'load' ? 0 : Math.min(mib, asleep(decision.model));
          for (const gpu of gpus) {
            const { totalMib, foreignMib } = given.cards[gpu]!;
            held.set(gpu, held.get(gpu)! - had + mib);
            assert.ok(usable.has(gpu) && held.get(gpu)! <= totalMib - foreignMib, decision.reason);
          }
        } else if (instance!.placement.gpus.every((gpu) => usable.has(gpu))) {
          const { load } = given.candidates.find((candidate) => candidate.model === decision.model)!;
          assert.ok(decision.action === 'drain' || instance!.inFlight === 0, decision.reason);
          assert.ok(load !== 'pinned' || instance!.state === 'asleep', decision.reason);
        }
      }
    }),
    { numRuns: 500 },
  );
});
