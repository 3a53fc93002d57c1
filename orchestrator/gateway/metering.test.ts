import assert from 'node:assert/strict';
import { test } from 'node:test';
import { costMicros, meter } from './metering.ts';

const chunk = (payload: object) => Buffer.from(`data: ${JSON.stringify(payload)}\n\n`);
const delta = (content: string) => chunk({ choices: [{ index: 0, delta: { content } }] });

test("the engine's own figures are taken", () => {
  const metering = meter('chat', 400);
  metering.push(delta('hello'));
  metering.push(
    chunk({
      choices: [],
      usage: { prompt_tokens: 50, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 20 } },
    }),
  );
  metering.push(Buffer.from('data: [DONE]\n\n'));
  assert.ok(metering.finished());
  assert.deepEqual(metering.settle(false), {
    tokens: { input: 50, cached: 20, output: 3 },
    source: 'upstream',
    reasoning: null,
  });
});

test('without figures a whole answer is counted and a cut one estimated', () => {
  const metering = meter('chat', 400);
  metering.push(delta('12345678'));
  metering.push(
    chunk({
      choices: [{ delta: { tool_calls: [{ index: 0, function: { name: 'edit', arguments: '{"a":' } }] } }],
    }),
  );
  metering.push(chunk({ choices: [{ delta: { reasoning_content: 'hmm' } }] }));
  assert.deepEqual(metering.settle(false), {
    tokens: { input: 100, cached: 0, output: 5 },
    source: 'counted',
    reasoning: null,
  });
  assert.equal(metering.settle(true).source, 'estimated');
});

test('a cut answer of Messages keeps the input that the engine told', () => {
  const metering = meter('messages', 4000);
  metering.push(chunk({ type: 'message_start', message: { usage: { input_tokens: 30, output_tokens: 1 } } }));
  metering.push(
    chunk({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'x'.repeat(40) } }),
  );
  assert.deepEqual(metering.settle(true), {
    tokens: { input: 30, cached: 0, output: 10 },
    source: 'estimated',
    reasoning: null,
  });
});

test('cached tokens are never more than the input', () => {
  const metering = meter('responses', 4);
  metering.whole(
    Buffer.from(
      JSON.stringify({
        usage: { input_tokens: 5, output_tokens: 1, input_tokens_details: { cached_tokens: 9 } },
      }),
    ),
  );
  assert.equal(metering.settle(false).tokens.cached, 5);
});

test('a cost is rounded up to a millionth, and not by the error of binary fractions', () => {
  const price = { input: 0.07, cached: 0.01, output: 0.5 };
  const metered = (input: number, cached: number, output: number, reasoning: number | null = null) =>
    ({ tokens: { input, cached, output }, reasoning, source: 'upstream' }) as const;
  assert.equal(costMicros(metered(100, 0, 0), price), 7);
  assert.equal(costMicros(metered(1, 0, 0), price), 1);
  const dear = { input: 3, cached: 0.3, output: 15 };
  assert.equal(costMicros(metered(1000, 900, 10), dear), 300 + 270 + 150);
  assert.equal(costMicros(metered(0, 0, 10, 4), dear), 150, 'reasoning costs what output does');
  assert.equal(costMicros(metered(0, 0, 10, 4), { ...dear, reasoning: 20 }), 90 + 80);
});
