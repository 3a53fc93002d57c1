import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readStreamJson } from './stream-json.ts';

const done = { ended: 'done', error: null };

test('a line tells what it stands for', () => {
  const cases: [string, object, unknown[]][] = [
    ['a session begins', { type: 'system', subtype: 'init', session_id: 's' }, [{ session: 's' }]],
    [
      'the model speaks',
      { type: 'assistant', message: { content: [{ type: 'text', text: 'Hello' }] } },
      [{ update: { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text: 'Hello' } } }],
    ],
    [
      'it thinks',
      { type: 'thinking', subtype: 'delta', text: 'Hm' },
      [{ update: { sessionUpdate: 'agent_thought_chunk', content: { type: 'text', text: 'Hm' } } }],
    ],
    [
      "Claude Code's tool begins",
      {
        type: 'assistant',
        message: { content: [{ type: 'tool_use', id: 't', name: 'Edit', input: { file_path: '/w/a' } }] },
      },
      [
        {
          update: {
            sessionUpdate: 'tool_call',
            toolCallId: 't',
            title: 'Edit /w/a',
            kind: 'edit',
            status: 'in_progress',
            locations: [{ path: '/w/a' }],
          },
        },
      ],
    ],
    [
      'and has made a file',
      {
        type: 'user',
        message: { content: [{ type: 'tool_result', tool_use_id: 't', content: 'created' }] },
        tool_use_result: { filePath: '/w/a', originalFile: null },
      },
      [
        {
          update: {
            sessionUpdate: 'tool_call_update',
            toolCallId: 't',
            status: 'completed',
            content: [{ type: 'diff', path: '/w/a', oldText: null, newText: '' }],
          },
        },
      ],
    ],
    [
      "Cursor's tool begins",
      {
        type: 'tool_call',
        subtype: 'started',
        call_id: 'c',
        tool_call: { shellToolCall: { args: { command: 'make' } } },
      },
      [
        {
          update: {
            sessionUpdate: 'tool_call',
            toolCallId: 'c',
            title: 'shell make',
            kind: 'execute',
            status: 'in_progress',
          },
        },
      ],
    ],
    [
      'and succeeds',
      {
        type: 'tool_call',
        subtype: 'completed',
        call_id: 'c',
        tool_call: { shellToolCall: { args: {}, result: { success: { exitCode: 0 } } } },
      },
      [{ update: { sessionUpdate: 'tool_call_update', toolCallId: 'c', status: 'completed', content: [] } }],
    ],
    ['the turn is done', { type: 'result', subtype: 'success', is_error: false, result: 'Hello' }, [done]],
    [
      'an error that calls itself a success',
      { type: 'result', subtype: 'success', is_error: true, result: 'API Error: 402 no budget' },
      [{ ended: 'failed', error: '402 no budget' }],
    ],
    [
      'a limit of its own',
      {
        type: 'result',
        subtype: 'error_max_turns',
        is_error: true,
        errors: ['Reached maximum number of turns (2)'],
      },
      [{ ended: 'limit', error: 'Reached maximum number of turns (2)' }],
    ],
    [
      'tokens, cached ones apart',
      {
        type: 'result',
        usage: {
          input_tokens: 800,
          cache_read_input_tokens: 200,
          cache_creation_input_tokens: 10,
          output_tokens: 50,
        },
      },
      [{ usage: { inputTokens: 1010, cachedTokens: 200, outputTokens: 50 } }, done],
    ],
    ['a line of another kind', { type: 'rate_limit_event', left: 3 }, []],
    ['a line that is not as documented', { type: 'assistant', message: 'Hello' }, []],
  ];
  for (const [title, line, facts] of cases) assert.deepEqual(readStreamJson(line), facts, title);
});
