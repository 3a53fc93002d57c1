import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { LocalModel } from '../../../protocol/local-model.ts';
import { plan } from './plan.ts';
import type { Subject } from './plan.ts';
import { inPrecision } from './precision.ts';
import { cardsOf, shipped, shippedModel } from './testing/models.ts';

const BOX = cardsOf(2);
const asked = (name: string, changes: Partial<LocalModel> = {}, precision?: string): Subject => {
  const subject = shippedModel(name, changes);
  if (precision === undefined || !('shape' in subject.facts)) return subject;
  return { ...subject, facts: { ...subject.facts, shape: inPrecision(subject.facts.shape, precision) } };
};
const only = (subject: Subject, cards = BOX) => plan([subject], shipped, cards).models[0]!;

test('every shipped model fits on the GPUs of the appliance', () => {
  for (const subject of shipped) {
    const { fits, why } = only(subject);
    assert.ok(fits, `${subject.model.name}: ${why}`);
  }
});

test('the embeddings fit beside every model, and the small models all on one GPU', () => {
  const { beside } = only(shippedModel('qwen3-embedding-0.6b'));
  assert.equal(beside.length, shipped.length - 1);
  const small = ['qwen2.5-coder-7b', 'qwen2.5-coder-1.5b', 'qwen3-embedding-0.6b'].map((name) => asked(name));
  assert.equal(plan(small, shipped, cardsOf(1)).together, true);
});

test('what a model takes and what that is enough for is told in figures and words', () => {
  const answer = only(asked('qwen2.5-coder-32b'));
  assert.deepEqual([answer.fits, answer.gpus, answer.freeMib, answer.would], [true, [0, 1], 3685, []]);
  assert.equal(answer.need?.tokens, 79_616);
  assert.match(
    answer.why,
    /^It takes 20\.4 GiB of each of GPU 0, 1 \(85 %\): 9\.2 GiB for weights, 1\.5 GiB for the engine, 9\.7 GiB for the KV cache\. That holds 79,616 tokens: 2 requests of 32,768 tokens at a time/,
  );
});

test('a 32B model in 16 bits is refused with what it needs, what there is, and what would do', () => {
  const split = only(asked('qwen2.5-coder-32b', {}, 'bfloat16'));
  assert.equal(split.fits, false);
  assert.match(split.why, /needs 40\.0 GiB of each of 2 GPUs: 30\.5 GiB for weights in bfloat16/);
  assert.match(split.why, /may take 20\.4 GiB \(85 % of a GPU at most\)/);
  assert.deepEqual(split.would, [
    'int4 weights (AWQ or GPTQ)',
    '8-bit weights, 1 request of 23,552 tokens at a time',
    '2 GPUs of 47.1 GiB each',
  ]);
  const one = only(asked('qwen2.5-coder-32b', { tensorParallel: 1 }, 'bfloat16'));
  assert.match(one.why, /needs 78\.5 GiB of one GPU: 61\.0 GiB for weights/);
  assert.equal(one.would[0], 'int4 weights (AWQ or GPTQ), tensor parallelism 2');
});

const REFUSED: [what: string, subject: Subject, gpus: number, why: RegExp, would: RegExp][] = [
  [
    'too many requests',
    asked('qwen2.5-coder-32b', { sequences: 8 }),
    2,
    /8 requests of 32,768/,
    /^2 requests of 32,768 tokens at a time$/,
  ],
  [
    'too long a request',
    asked('devstral-small-24b', { context: 131_072, sequences: 2 }),
    2,
    /2 requests of 131,072/,
    /^1 request of 131,072 tokens/,
  ],
  [
    'longer than it can',
    asked('qwen2.5-coder-32b', { context: 100_000 }),
    2,
    /goes up to 32,768 tokens; 100,000/,
    /^a context of 32,768 tokens or less$/,
  ],
  [
    'too few GPUs',
    asked('qwen2.5-coder-32b'),
    1,
    /Tensor parallelism 2 needs 2 GPUs, and there is one/,
    /^2 GPUs of 22\.0 GiB each$/,
  ],
  [
    'heads that cannot be split',
    asked('qwen2.5-coder-32b', { tensorParallel: 3 }),
    4,
    /between 3 GPUs: its 40 attention heads/,
    /^tensor parallelism 2$/,
  ],
  [
    'one GPU where two would do',
    asked('qwen2.5-coder-32b', { tensorParallel: 1 }),
    2,
    /of one GPU/,
    /^tensor parallelism 2$/,
  ],
  [
    'a small GPU',
    asked('qwen2.5-coder-7b', { gpuMemoryUtilization: 0.3 }),
    1,
    /may take 7\.2 GiB \(30 %/,
    /^1 request of 7,168 tokens at a time$/,
  ],
];
for (const [what, subject, gpus, why, would] of REFUSED) {
  test(`it is told why a model cannot run and what would help: ${what}`, () => {
    const answer = only(subject, cardsOf(gpus));
    assert.equal(answer.fits, false);
    assert.match(answer.why, why);
    assert.match(answer.would[0] ?? '', would);
    assert.deepEqual([answer.gpus, answer.freeMib, answer.beside], [[], null, []]);
  });
}

test('memory that strangers have taken is named', () => {
  const { why } = only(asked('qwen2.5-coder-14b'), cardsOf(1, 24_564, 9000));
  assert.match(why, /8\.8 GiB of GPU 0 are taken by others \(15\.2 GiB are left\)/);
});

test('what earlier loads took is counted in and told', () => {
  const { why, calibration, freeMib } = only({ ...asked('qwen2.5-coder-14b'), calibration: 1.1 });
  assert.match(why, /Earlier loads took 10 % more than predicted/);
  assert.equal(calibration, 1.1);
  assert.equal(freeMib, 24_564 - Math.ceil(20_879 * 1.1));
});

test('models that fit each by itself may not fit together', () => {
  const pair = plan([asked('qwen2.5-coder-32b'), asked('qwen2.5-coder-14b')], shipped, BOX);
  assert.deepEqual([pair.together, ...pair.models.map(({ fits }) => fits)], [false, true, true]);
  const twins = plan([asked('qwen2.5-coder-14b'), asked('qwen2.5-coder-14b')], shipped, BOX);
  assert.equal(twins.together, true);
  assert.deepEqual(
    twins.models.flatMap(({ gpus }) => gpus),
    [0, 1],
  );
});

test('what is left of a GPU is what all that fit together leave', () => {
  const pair = plan([asked('qwen2.5-coder-32b'), asked('qwen3-embedding-0.6b')], shipped, BOX);
  assert.deepEqual(
    pair.models.map(({ gpus, freeMib }) => [gpus, freeMib]),
    [
      [[0, 1], 563],
      [[0], 563],
    ],
  );
});

test('weights that cannot be used are told in place of figures', () => {
  const facts = new AutocodeError('ERR_WEIGHTS', 'The file was cut off.', { remedy: 'Bring it again.' });
  const answer = only({ ...asked('qwen2.5-coder-14b'), facts });
  assert.deepEqual(
    [answer.fits, answer.need, answer.why],
    [false, null, 'The file was cut off. Bring it again.'],
  );
});
