import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chatToMessages } from './chat-request.ts';
import { messagesToChat } from './messages-request.ts';
import { messagesOverChat } from './messages-over-chat.ts';
import { offeredTools, responsesToChat } from './responses-request.ts';
import { responsesOverChat } from './responses-over-chat.ts';
import { offered, wayTo } from './table.ts';

const PNG = { type: 'base64', media_type: 'image/png', data: 'AAAA' };
const DATA = 'data:image/png;base64,AAAA';

test('Messages to Chat Completions: system without the line that changes each time, tools, choices, bounds', () => {
  assert.deepEqual(
    messagesToChat({
      model: 'm',
      max_tokens: 100,
      stream: true,
      system: [
        { type: 'text', text: 'x-anthropic-billing-header: cc_version=1; cch=ab' },
        { type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } },
      ],
      messages: [{ role: 'user', content: 'hello' }],
      tools: [
        { name: 'edit', description: 'edits', input_schema: { type: 'object' }, cache_control: {} },
        { type: 'web_search_20250305', name: 'web_search' },
      ],
      tool_choice: { type: 'any', disable_parallel_tool_use: true },
      stop_sequences: ['END'],
      temperature: 0.5,
      thinking: { type: 'adaptive' },
      output_config: { effort: 'max' },
      metadata: { user_id: 'me' },
    }),
    {
      model: 'm',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'hello' },
      ],
      tools: [
        {
          type: 'function',
          function: { name: 'edit', description: 'edits', parameters: { type: 'object' } },
        },
      ],
      tool_choice: 'required',
      parallel_tool_calls: false,
      max_tokens: 100,
      stop: ['END'],
      temperature: 0.5,
      reasoning_effort: 'high',
      stream: true,
      stream_options: { include_usage: true },
    },
  );
});

test('Messages to Chat Completions: parallel calls and results, a picture in a result, thinking, late system text', () => {
  const { messages } = messagesToChat({
    messages: [
      {
        role: 'user',
        content: [
          { type: 'image', source: PNG },
          { type: 'text', text: 'look' },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hm', signature: '' },
          { type: 'text', text: 'two calls' },
          { type: 'tool_use', id: 'a', name: 'one', input: { x: 1 } },
          { type: 'tool_use', id: 'b', name: 'two', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'a', content: [{ type: 'image', source: PNG }] },
          { type: 'tool_result', tool_use_id: 'b', content: 'no such file', is_error: true },
          { type: 'text', text: 'go on' },
        ],
      },
      { role: 'system', content: 'late' },
    ],
  });
  assert.deepEqual(messages, [
    {
      role: 'user',
      content: [
        { type: 'image_url', image_url: { url: DATA } },
        { type: 'text', text: 'look' },
      ],
    },
    {
      role: 'assistant',
      content: 'two calls',
      reasoning_content: 'hm',
      tool_calls: [
        { id: 'a', type: 'function', function: { name: 'one', arguments: '{"x":1}' } },
        { id: 'b', type: 'function', function: { name: 'two', arguments: '{}' } },
      ],
    },
    { role: 'tool', tool_call_id: 'a', content: 'See the picture below.' },
    { role: 'tool', tool_call_id: 'b', content: 'Error: no such file' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'From a:' },
        { type: 'image_url', image_url: { url: DATA } },
        { type: 'text', text: 'go on' },
      ],
    },
    { role: 'user', content: 'late' },
  ]);
});

test('Chat Completions to Messages: turns alternate, results go in front, a cut call is handed on, ends are marked for caching', () => {
  const CACHED = { type: 'ephemeral' };
  assert.deepEqual(
    chatToMessages({
      model: 'm',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: [{ type: 'image_url', image_url: { url: DATA } }] },
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            { id: 'a', type: 'function', function: { name: 'one', arguments: '{"x":' } },
            { id: 'b', type: 'function', function: { name: 'two', arguments: '' } },
          ],
        },
        { role: 'tool', tool_call_id: 'a', content: 'done' },
        { role: 'tool', tool_call_id: 'b', content: '' },
        { role: 'user', content: 'go on' },
      ],
      tools: [{ type: 'function', function: { name: 'one', parameters: { type: 'object' } } }],
      tool_choice: { type: 'function', function: { name: 'one' } },
      stop: 'END',
      temperature: 1.5,
      reasoning_effort: 'high',
    }),
    {
      model: 'm',
      max_tokens: 16_384,
      system: [{ type: 'text', text: 'Be brief.', cache_control: CACHED }],
      messages: [
        { role: 'user', content: [{ type: 'image', source: PNG }] },
        {
          role: 'assistant',
          content: [
            { type: 'tool_use', id: 'a', name: 'one', input: { malformed_arguments: '{"x":' } },
            { type: 'tool_use', id: 'b', name: 'two', input: {} },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'a', content: 'done' },
            { type: 'tool_result', tool_use_id: 'b', content: '' },
            { type: 'text', text: 'go on', cache_control: CACHED },
          ],
        },
      ],
      tools: [{ name: 'one', input_schema: { type: 'object' } }],
      tool_choice: { type: 'tool', name: 'one' },
      stop_sequences: ['END'],
      temperature: 1,
    },
  );
  assert.throws(() => chatToMessages({ n: 2 }), { code: 'ERR_INVALID_INPUT' });
  assert.throws(() => chatToMessages({ messages: [{ role: 'user', content: [{ type: 'input_audio' }] }] }), {
    code: 'ERR_INVALID_INPUT',
    message: /input_audio/,
  });
});

const RESPONSES = {
  model: 'm',
  instructions: 'Be brief.',
  input: [
    { type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'rules' }] },
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hello' }] },
    { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'hm' }] },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'calling' }] },
    { type: 'function_call', call_id: 'a', name: 'one', arguments: '{}' },
    { type: 'custom_tool_call', call_id: 'b', name: 'patch', input: '*** Begin' },
    { type: 'function_call_output', call_id: 'a', output: [{ type: 'input_image', image_url: DATA }] },
    { type: 'custom_tool_call_output', call_id: 'b', output: 'done' },
  ],
  tools: [
    { type: 'function', name: 'one', parameters: { type: 'object' }, strict: false },
    { type: 'custom', name: 'patch', format: { type: 'grammar', definition: 'start: "x"' } },
    { type: 'namespace', name: 'mcp', tools: [{ type: 'function', name: 'inner', parameters: {} }] },
    { type: 'web_search' },
  ],
  tool_choice: 'auto',
  reasoning: { effort: 'low' },
  max_output_tokens: 5,
};

test('Responses to Chat Completions: one answer is one message, free text becomes a function, pictures follow all results', () => {
  const { messages, tools, ...rest } = responsesToChat(RESPONSES);
  assert.deepEqual(messages, [
    { role: 'system', content: 'Be brief.\n\nrules' },
    { role: 'user', content: 'hello' },
    {
      role: 'assistant',
      content: 'calling',
      reasoning_content: 'hm',
      tool_calls: [
        { id: 'a', type: 'function', function: { name: 'one', arguments: '{}' } },
        { id: 'b', type: 'function', function: { name: 'patch', arguments: '{"input":"*** Begin"}' } },
      ],
    },
    { role: 'tool', tool_call_id: 'a', content: '' },
    { role: 'tool', tool_call_id: 'b', content: 'done' },
    { role: 'user', content: [{ type: 'image_url', image_url: { url: DATA } }] },
  ]);
  assert.deepEqual(
    (tools as { function: { name: string } }[]).map((tool) => tool.function.name),
    ['one', 'patch', 'inner'],
  );
  assert.deepEqual(rest, { model: 'm', tool_choice: 'auto', max_tokens: 5, reasoning_effort: 'low' });
  assert.deepEqual(offeredTools(RESPONSES.tools).get('inner'), { freeform: false, namespace: 'mcp' });
});

test('what only the server of Responses keeps is refused with what to send instead', () => {
  for (const name of ['previous_response_id', 'conversation'])
    assert.throws(() => responsesToChat({ input: 'x', [name]: 'y' }), {
      code: 'ERR_INVALID_INPUT',
      message: new RegExp(name),
      remedy: /whole conversation/,
    });
  responsesToChat({ input: 'x', previous_response_id: null });
});

test('calls of Chat Completions come back as what the client offered: free text, a name space', () => {
  const call = (id: string, name: string, args: string) => ({ id, function: { name, arguments: args } });
  const tool_calls = [
    call('1', 'patch', '{"input":"*** Begin"}'),
    call('2', 'inner', '{'),
    call('3', 'patch', 'raw'),
  ];
  const body = responsesOverChat.whole(
    { choices: [{ message: { content: null, tool_calls }, finish_reason: 'tool_calls' }] },
    RESPONSES,
  );
  const items = body.output as Record<string, unknown>[];
  assert.deepEqual(
    items.map(({ type, name, input, arguments: args, namespace }) => [type, name, input ?? args, namespace]),
    [
      ['custom_tool_call', 'patch', '*** Begin', undefined],
      ['function_call', 'inner', '{', 'mcp'],
      ['custom_tool_call', 'patch', 'raw', undefined],
    ],
  );
});

test('long arguments that are held back leave signs of life, and calls whose parts are mixed come out in order', () => {
  const stream = messagesOverChat.stream({ model: 'm' });
  const part = (index: number, args: string, name?: string) =>
    stream.push({
      choices: [{ delta: { tool_calls: [{ index, id: `c${index}`, function: { name, arguments: args } }] } }],
    });
  part(0, '{"a":"', 'one');
  part(1, '{"b":1}', 'two');
  assert.ok(part(0, 'x'.repeat(3000)).some(({ type }) => type === 'ping'));
  part(0, '"}');
  const end = stream.end();
  assert.deepEqual(
    end.filter(({ type }) => type === 'content_block_start').map((event) => event.index),
    [0, 1],
  );
  const deltas = end.filter(({ type }) => type === 'content_block_delta') as {
    delta: { partial_json: string };
  }[];
  assert.deepEqual(JSON.parse(deltas[1]?.delta.partial_json ?? ''), { b: 1 });
});

test('blocks of Messages open and close one after the other, text before calls', () => {
  const stream = messagesOverChat.stream({ model: 'm' });
  const delta = {
    content: 'hi',
    tool_calls: [{ index: 0, id: 'c', function: { name: 'one', arguments: '{}' } }],
  };
  const events = [...stream.push({ choices: [{ delta }] }), ...stream.end()];
  assert.deepEqual(
    events.filter(({ index }) => index !== undefined).map(({ type, index }) => [type, index]),
    [0, 1].flatMap((at) => ['start', 'delta', 'stop'].map((part) => [`content_block_${part}`, at])),
  );
});

test('what an engine speaks decides what is offered', () => {
  assert.deepEqual(offered(['chat']), ['chat', 'responses', 'messages']);
  assert.deepEqual(offered(['messages', 'embeddings']), ['messages', 'embeddings', 'chat', 'responses']);
  assert.deepEqual(offered(['responses']), ['responses']);
  assert.equal(wayTo(['chat', 'messages'], 'messages')?.translation, undefined);
  assert.equal(wayTo(['chat', 'messages'], 'responses')?.protocol, 'chat');
  assert.equal(wayTo(['chat'], 'embeddings'), undefined);
});
