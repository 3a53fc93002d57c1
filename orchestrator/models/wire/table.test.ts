import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collector } from './collector.ts';
import { encodeEvent } from './sse.ts';
import { WIRES } from './table.ts';
import type { Reply } from './wire.ts';

const text: Reply = {
  id: 'x_0',
  model: 'm',
  text: 'Grüße',
  toolCalls: [],
  tokens: { input: 100, cached: 40, output: 7 },
};
const calls: Reply = {
  ...text,
  text: '',
  toolCalls: [
    { name: 'read', arguments: '{"path":"/a b"}', freeform: false },
    { name: 'edit', arguments: '{"old":"\\n","new":"é"}', freeform: false },
  ],
};
const both: Reply = { ...calls, text: 'I look.' };

for (const wire of Object.values(WIRES)) {
  for (const [name, reply] of Object.entries({ text, calls, both })) {
    const expected = reply.toolCalls.map((call) => ({ name: call.name, arguments: call.arguments }));

    test(`${wire.protocol}: an answer of ${name} is read back from its stream`, () => {
      const { collected, push } = collector(wire.protocol);
      const bytes = Buffer.from(wire.events(reply).map(encodeEvent).join(''));
      for (const byte of bytes) push(Uint8Array.of(byte));
      assert.equal(collected.text, reply.text);
      assert.deepEqual([...collected.toolCalls.values()], expected);
      assert.deepEqual(collected.tokens, reply.tokens);
      assert.ok(collected.complete && collected.finished && collected.error === undefined);
    });

    test(`${wire.protocol}: an answer of ${name} is read back from its body`, () => {
      const { collected, whole } = collector(wire.protocol);
      whole(Buffer.from(JSON.stringify(wire.whole(reply))));
      assert.equal(collected.text, reply.text);
      assert.deepEqual([...collected.toolCalls.values()], expected);
      assert.deepEqual(collected.tokens, reply.tokens);
    });
  }

  test(`${wire.protocol}: a body of the wrong shape reads as empty`, () => {
    for (const body of [
      {},
      { messages: 3, input: null, tools: 'x' },
      { messages: [null, 4], input: [null], tools: [[]] },
    ]) {
      assert.doesNotThrow(() => wire.read(body as object as Record<string, unknown>));
    }
    const { collected, whole, push } = collector(wire.protocol);
    whole(Buffer.from('[1, 2'));
    push(
      Buffer.from(
        'data: {"choices":[{"delta":7}],"delta":null,"usage":{"prompt_tokens":-1}}\n\ndata: nonsense\n\n',
      ),
    );
    assert.deepEqual(collected.tokens, {});
  });

  test(`${wire.protocol}: an error inside a stream is seen`, () => {
    const { collected, push } = collector(wire.protocol);
    push(
      Buffer.from(
        encodeEvent(wire.refusalEvent({ status: 502, code: 'ERR_X', message: 'gone', requestId: 'r' })),
      ),
    );
    assert.equal(collected.error, 'gone');
  });
}

test('the same conversation is read alike from all protocols', () => {
  const chat = {
    messages: [
      { role: 'system', content: 'Be good.' },
      { role: 'user', content: [{ type: 'text', text: 'Task: a' }] },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: '1', function: { name: 'read', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: '1', content: 'x' },
      { role: 'assistant', content: 'done' },
      { role: 'user', content: 'more' },
    ],
    tools: [{ type: 'function', function: { name: 'read' } }],
  };
  const messages = {
    system: [{ type: 'text', text: 'Be' }],
    messages: [
      { role: 'system', content: 'good.' },
      { role: 'user', content: 'Task: a' },
      { role: 'assistant', content: [{ type: 'tool_use', id: '1', name: 'read', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: '1', content: 'x' }] },
      { role: 'assistant', content: 'done' },
      { role: 'user', content: 'more' },
    ],
    tools: [{ name: 'read' }],
  };
  const responses = {
    instructions: 'Be good.',
    input: [
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Task: a' }] },
      { type: 'reasoning', summary: [] },
      { type: 'function_call', call_id: '1', name: 'read', arguments: '{}' },
      { type: 'function_call_output', call_id: '1', output: 'x' },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'done' }] },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'more' }] },
    ],
    tools: [{ type: 'namespace', tools: [{ type: 'function', name: 'read' }] }],
  };
  for (const [protocol, body] of Object.entries({ chat, messages, responses })) {
    const read = WIRES[protocol as keyof typeof WIRES].read(body);
    assert.equal(read.opening, 'Task: a', protocol);
    assert.equal(read.setting.trim().replace('\n', ' '), 'Be good.', protocol);
    assert.equal(read.turn, 2, protocol);
    assert.deepEqual(read.tools, [{ name: 'read', freeform: false }], protocol);
  }
});

test('Messages counts cached input into the input', () => {
  const { collected, push } = collector('messages');
  const event = (payload: object) => push(Buffer.from(`data: ${JSON.stringify(payload)}\n\n`));
  const usage = {
    input_tokens: 10,
    cache_read_input_tokens: 50,
    cache_creation_input_tokens: 5,
    output_tokens: 1,
  };
  event({ type: 'message_start', message: { usage } });
  event({ type: 'message_delta', delta: {}, usage: { input_tokens: 0, output_tokens: 9 } });
  assert.deepEqual(collected.tokens, { input: 65, cached: 50, output: 9 });
});
