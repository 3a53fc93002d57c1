// A client of Anthropic Messages in front of an engine that speaks Chat Completions.
import { count, object, objects, string } from '../wire/json.ts';
import type { JsonObject } from '../wire/json.ts';
import { toolInput } from './content.ts';
import { messagesToChat } from './messages-request.ts';
import type { StreamTranslation, Translation } from './translation.ts';

/** Messages in, Chat Completions out. */
export const messagesOverChat: Translation = { request: messagesToChat, whole, stream };

interface Call {
  id: string;
  name: string;
  arguments: string;
}

// A sign of life for each so many characters of arguments that are held back.
const PING_CHARS = 2_000;

function whole(answer: JsonObject, asked: JsonObject): JsonObject {
  const choice = objects(answer.choices)[0] ?? {};
  const message = object(choice.message);
  const calls = objects(message.tool_calls).map((call, index) => ({
    id: string(call.id) || `call_${index}`,
    name: string(object(call.function).name),
    arguments: argumentsOf(call),
  }));
  const thinking = string(message.reasoning_content) || string(message.reasoning);
  const text = string(message.content) || string(message.refusal);
  return {
    ...head(answer, asked),
    content: [
      ...(thinking === '' ? [] : [{ type: 'thinking', thinking, signature: '' }]),
      ...(text === '' ? [] : [{ type: 'text', text }]),
      ...calls.map(toolUse),
    ],
    ...stopOf(choice, calls.length > 0),
    usage: usageOf(object(answer.usage)),
  };
}

/**
 * Text and thinking go on as they come. Calls are held until all is there: the engine may mix the parts of several
 * calls, which Messages cannot say, and arguments that are no JSON must not reach a client that parses them.
 */
function stream(asked: JsonObject): StreamTranslation {
  let begun = false;
  let open: 'text' | 'thinking' | undefined;
  let index = -1;
  let failed = false;
  let held = 0;
  let last: JsonObject = {};
  let usage: JsonObject = {};
  const calls = new Map<number, Call>();

  const close = (): JsonObject[] => {
    if (open === undefined) return [];
    open = undefined;
    return [{ type: 'content_block_stop', index }];
  };
  const say = (kind: 'text' | 'thinking', text: string): JsonObject[] => {
    if (text === '') return [];
    const delta = { type: `${kind}_delta`, [kind]: text };
    if (open === kind) return [{ type: 'content_block_delta', index, delta }];
    const closed = close();
    open = kind;
    index++;
    const block = { type: kind, [kind]: '', ...(kind === 'thinking' ? { signature: '' } : {}) };
    return [
      ...closed,
      { type: 'content_block_start', index, content_block: block },
      { type: 'content_block_delta', index, delta },
    ];
  };
  const hold = (parts: JsonObject[]): JsonObject[] => {
    const before = held;
    for (const [position, part] of parts.entries()) {
      const at = count(part.index) ?? position;
      const call = calls.get(at) ?? { id: '', name: '', arguments: '' };
      call.id ||= string(part.id);
      call.name ||= string(object(part.function).name);
      const more = argumentsOf(part);
      call.arguments += more;
      held += more.length;
      calls.set(at, call);
    }
    return Math.floor(held / PING_CHARS) > Math.floor(before / PING_CHARS) ? [{ type: 'ping' }] : [];
  };
  const start = (payload: JsonObject): JsonObject[] => {
    if (begun) return [];
    begun = true;
    const message = { ...head(payload, asked), content: [], stop_reason: null, stop_sequence: null };
    return [{ type: 'message_start', message: { ...message, usage: usageOf({}) } }];
  };
  return {
    push(payload) {
      if (payload.error !== undefined && payload.error !== null) {
        failed = true;
        const message = string(object(payload.error).message) || JSON.stringify(payload.error);
        return [{ type: 'error', error: { type: 'api_error', message } }];
      }
      const out = start(payload);
      if (payload.usage !== undefined && payload.usage !== null) usage = object(payload.usage);
      const choice = objects(payload.choices)[0];
      if (choice === undefined) return out;
      const delta = object(choice.delta);
      if (string(choice.finish_reason) !== '') last = choice;
      return [
        ...out,
        ...say('thinking', string(delta.reasoning_content) || string(delta.reasoning)),
        ...say('text', string(delta.content) || string(delta.refusal)),
        ...hold(objects(delta.tool_calls)),
      ];
    },
    end() {
      if (failed) return [];
      const before = [...start({}), ...close()];
      const blocks = [...calls.entries()]
        .sort(([a], [b]) => a - b)
        .flatMap(([position, call]) => {
          const { input, ...block } = toolUse({ ...call, id: call.id || `call_${position}` });
          index++;
          const partial_json = JSON.stringify(input);
          return [
            { type: 'content_block_start', index, content_block: { ...block, input: {} } },
            { type: 'content_block_delta', index, delta: { type: 'input_json_delta', partial_json } },
            { type: 'content_block_stop', index },
          ];
        });
      return [
        ...before,
        ...blocks,
        { type: 'message_delta', delta: stopOf(last, calls.size > 0), usage: usageOf(usage) },
        { type: 'message_stop' },
      ];
    },
  };
}

const head = (answer: JsonObject, asked: JsonObject) => ({
  id: `msg_${string(answer.id).replace(/^chatcmpl-/, '') || 'translated'}`,
  type: 'message',
  role: 'assistant',
  model: asked.model ?? answer.model ?? '',
});

const argumentsOf = (call: JsonObject) => {
  const given = object(call.function).arguments;
  // Some engines send an object where text is due.
  return typeof given === 'object' && given !== null ? JSON.stringify(given) : string(given);
};

const toolUse = (call: Call) => ({
  type: 'tool_use',
  id: call.id,
  name: call.name,
  input: toolInput(call.arguments),
});

const STOPS: Record<string, string> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  function_call: 'tool_use',
  content_filter: 'refusal',
};

function stopOf(choice: JsonObject, calls: boolean): { stop_reason: string; stop_sequence: string | null } {
  // vLLM names the stop sequence that was met.
  const sequence = string(choice.stop_reason);
  const finish = string(choice.finish_reason);
  if (calls && finish !== 'length') return { stop_reason: 'tool_use', stop_sequence: null };
  if (finish === 'stop' && sequence !== '') return { stop_reason: 'stop_sequence', stop_sequence: sequence };
  return { stop_reason: STOPS[finish] ?? 'end_turn', stop_sequence: null };
}

/** Anthropic counts cached input apart. */
function usageOf(usage: JsonObject): JsonObject {
  const input = count(usage.prompt_tokens) ?? 0;
  const cached = Math.min(count(object(usage.prompt_tokens_details).cached_tokens) ?? 0, input);
  return {
    input_tokens: input - cached,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached,
    output_tokens: count(usage.completion_tokens) ?? 0,
  };
}
