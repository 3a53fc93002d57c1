// A client of Chat Completions in front of an engine that speaks Anthropic Messages.
import { count, object, objects, string } from '../wire/json.ts';
import type { JsonObject } from '../wire/json.ts';
import { chatToMessages } from './chat-request.ts';
import { assistantForChat } from './content.ts';
import type { StreamTranslation, Translation } from './translation.ts';

/** Chat Completions in, Messages out. */
export const chatOverMessages: Translation = { request: chatToMessages, whole, stream };

function whole(answer: JsonObject, asked: JsonObject): JsonObject {
  const { text, reasoning, calls } = assistantForChat(objects(answer.content), '');
  const message = { role: 'assistant', content: text || null, refusal: null, ...reasoning, ...calls };
  return {
    ...head(answer, asked, 'chat.completion'),
    choices: [{ index: 0, message, finish_reason: finishOf(answer.stop_reason), logprobs: null }],
    usage: usageOf(object(answer.usage)),
  };
}

function stream(asked: JsonObject): StreamTranslation {
  let message: JsonObject = {};
  let usage: JsonObject = {};
  let over = false;
  /** Number of the call that each block is. */
  const calls = new Map<number, number>();

  const chunk = (delta: object, finish_reason: string | null = null): JsonObject => ({
    ...head(message, asked, 'chat.completion.chunk'),
    choices: [{ index: 0, delta, finish_reason, logprobs: null }],
  });
  const started = (at: number, block: JsonObject): JsonObject[] => {
    if (block.type !== 'tool_use') return [];
    const index = calls.size;
    calls.set(at, index);
    const call = { name: block.name, arguments: '' };
    return [chunk({ tool_calls: [{ index, id: block.id, type: 'function', function: call }] })];
  };
  const grown = (at: number, delta: JsonObject): JsonObject[] => {
    if (delta.type === 'text_delta') return [chunk({ content: delta.text })];
    if (delta.type === 'thinking_delta') return [chunk({ reasoning_content: delta.thinking })];
    if (delta.type !== 'input_json_delta' || delta.partial_json === '') return [];
    const index = calls.get(at) ?? 0;
    return [chunk({ tool_calls: [{ index, function: { arguments: delta.partial_json } }] })];
  };
  return {
    push(payload) {
      const at = count(payload.index) ?? 0;
      switch (payload.type) {
        case 'message_start':
          message = object(payload.message);
          usage = object(message.usage);
          return [chunk({ role: 'assistant', content: '' })];
        case 'content_block_start':
          return started(at, object(payload.content_block));
        case 'content_block_delta':
          return grown(at, object(payload.delta));
        case 'message_delta':
          usage = { ...usage, ...given(object(payload.usage)) };
          return [chunk({}, finishOf(object(payload.delta).stop_reason))];
        case 'message_stop':
          over = true;
          return [{ ...head(message, asked, 'chat.completion.chunk'), choices: [], usage: usageOf(usage) }];
        case 'error':
          over = true;
          return [{ error: object(payload.error) }];
        default:
          return [];
      }
    },
    end: () =>
      over ? [] : [{ ...head(message, asked, 'chat.completion.chunk'), choices: [], usage: usageOf(usage) }],
  };
}

// An engine that says 0 in message_delta after a true figure in message_start has only left it out.
const given = (usage: JsonObject) =>
  Object.fromEntries(Object.entries(usage).filter(([, figure]) => (count(figure) ?? 0) > 0));

const head = (answer: JsonObject, asked: JsonObject, kind: string) => ({
  id: `chatcmpl-${string(answer.id).replace(/^msg_/, '') || 'translated'}`,
  object: kind,
  created: Math.floor(Date.now() / 1000),
  model: asked.model ?? answer.model ?? '',
});

const FINISHES: Record<string, string> = {
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
};

const finishOf = (reason: unknown) => FINISHES[string(reason)] ?? 'stop';

function usageOf(usage: JsonObject): JsonObject {
  const cached = count(usage.cache_read_input_tokens) ?? 0;
  const input = (count(usage.input_tokens) ?? 0) + cached + (count(usage.cache_creation_input_tokens) ?? 0);
  const output = count(usage.output_tokens) ?? 0;
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached },
  };
}
