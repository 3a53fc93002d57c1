import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decide } from './decide.ts';
import { type Mishap, type Session, type SimulatedModel, simulate } from './testing/simulated.ts';
import { card, model, TOTAL_MIB } from './testing/states.ts';

const HOUR = 3_600_000;
const names = ['a', 'b', 'c', 'd'];
const cards = [card(0), card(1)];

const anyModels: fc.Arbitrary<SimulatedModel[]> = fc.tuple(
  ...names.map((name) =>
    fc
      .record({
        both: fc.boolean(),
        mib: fc.integer({ min: 2_000, max: TOTAL_MIB - 1_000 }),
        load: fc.constantFrom('on-demand', 'on-demand', 'preloaded'),
        sleepLevel: fc.constantFrom(0, 1),
        most: fc.integer({ min: 1, max: 2 }),
        sequences: fc.integer({ min: 1, max: 4 }),
        idleMs: fc.constantFrom(30_000, 900_000),
      })
      .map(({ both, mib, most, ...rest }) =>
        model(name, mib, { both, ...rest, replicas: { min: 1, max: both ? 1 : most } }),
      ),
  ),
);

const anySessions: fc.Arbitrary<Session[]> = fc.array(
  fc.array(
    fc.record({
      gapMs: fc.integer({ min: 0, max: 60_000 }),
      model: fc.constantFrom(...names),
      serviceMs: fc.integer({ min: 100, max: 40_000 }),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  { minLength: 1, maxLength: 6 },
);

const anyMishaps: fc.Arbitrary<Mishap[]> = fc.array(
  fc.oneof(
    fc.record({ at: fc.integer({ min: 0, max: 600_000 }), crash: fc.constantFrom(...names) }),
    fc.record({ at: fc.integer({ min: 0, max: 600_000 }), card: fc.constant(card(1, { usable: false })) }),
    fc.record({
      at: fc.integer({ min: 0, max: 600_000 }),
      card: fc.constant(card(0, { foreignMib: 15_000 })),
    }),
  ),
  { maxLength: 3 },
);

test('whatever is asked and whatever breaks: no card is over-committed, and everybody is answered', () => {
  fc.assert(
    fc.property(anyModels, anySessions, anyMishaps, (models, sessions, mishaps) => {
      const mended = cards.map((whole) => ({ at: 700_000, card: whole }));
      const outcome = simulate(
        { cards, models, sessions, mishaps: [...mishaps, ...mended], untilMs: 4 * HOUR },
        { decide },
      );
      assert.deepEqual(outcome.overcommitted, []);
      assert.equal(outcome.unanswered, 0);
    }),
    { numRuns: 60 },
  );
});

test('a model is not starved by one that is always in use', () => {
  const [busy, rare] = [model('busy', 20_000, { both: true }), model('rare', 20_000)];
  const sessions: Session[] = [
    ...[0, 1, 2, 3].map((worker) =>
      Array.from({ length: 120 }, () => ({ gapMs: 500 + worker, model: 'busy', serviceMs: 10_000 })),
    ),
    [{ gapMs: 30_000, model: 'rare', serviceMs: 1_000 }],
  ];
  const { waits } = simulate({ cards, models: [busy, rare], sessions, untilMs: HOUR }, { decide });
  const [waited] = waits.filter((wait) => wait.model === 'rare');
  // The residency of the busy model, what it has in flight, its going, the load of the other one.
  assert.ok(
    waited!.waitedMs <= 120_000 + 10_000 + 2_000 + 60_000 + 2_000,
    `it waited ${waited!.waitedMs} ms`,
  );
});

test('requests are answered by model, not in turns', () => {
  const models = ['left', 'right'].map((name) => model(name, 20_000, { both: true, sleepLevel: 0 }));
  const sessions = Array.from({ length: 40 }, (_, index) => [
    { gapMs: index * 1_000, model: index % 2 === 0 ? 'left' : 'right', serviceMs: 2_000 },
  ]);
  const { loads, unanswered } = simulate({ cards, models, sessions, untilMs: HOUR }, { decide });
  assert.equal(unanswered, 0);
  assert.ok(loads <= 4, `models were loaded ${loads} times`);
});

test('when nothing is asked any more there comes a time when nothing is decided', () => {
  fc.assert(
    fc.property(anyModels, anySessions, (models, sessions) => {
      const last: Session = [{ gapMs: 5 * HOUR, model: 'a', serviceMs: 1 }];
      const { decisions } = simulate(
        { cards, models, sessions: [...sessions, last], untilMs: 5 * HOUR - 1 },
        { decide },
      );
      const late = decisions.filter(({ at }) => at > 4 * HOUR).map(({ decision }) => decision.reason);
      assert.deepEqual(late, []);
    }),
    { numRuns: 40 },
  );
});
