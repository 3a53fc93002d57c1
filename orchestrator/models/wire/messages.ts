// Anthropic Messages on the wire. Spoken by Claude Code; vLLM serves it too.
import { contentText, count, object, objects, parse, string } from './json.ts';
import type { JsonObject } from './json.ts';
import { collectCall, collectTokens } from './wire.ts';
import type { Collected, Conversation, Refusal, Reply, Tokens, Wire } from './wire.ts';

export const messages: Wire = {
  protocol: 'messages',
  path: '/messages',
  read,
  whole: (reply) => ({
    ...head(reply),
    content: blocks(reply),
    stop_reason: stopReason(reply),
    usage: usageOf(reply.tokens),
  }),
  events,
  collect,
  collectWhole(collected, body) {
    for (const [index, block] of objects(body.content).entries()) addBlock(collected, index, block);
    addUsage(collected, object(body.usage));
    addError(collected, body);
    collected.complete = true;
  },
  refusal,
  refusalEvent: (refused) => ({ event: 'error', data: JSON.stringify(refusal(refused)) }),
};

function read(body: JsonObject): Conversation {
  const all = objects(body.messages);
  const answered = all.findIndex((item) => item.role === 'assistant');
  const before = answered < 0 ? all : all.slice(0, answered);
  return {
    opening: before
      .filter((item) => item.role === 'user')
      .map((item) => contentText(item.content))
      .join('\n'),
    // Claude Code puts part of its system prompt among the messages.
    setting: [body.system, ...all.filter((item) => item.role === 'system').map((item) => item.content)]
      .map(contentText)
      .join('\n'),
    turn: all.filter((item) => item.role === 'assistant').length,
    tools: objects(body.tools).map((tool) => ({ name: string(tool.name), freeform: false })),
  };
}

const head = (reply: Reply) => ({
  id: `msg_${reply.id}`,
  type: 'message',
  role: 'assistant',
  model: reply.model,
  stop_sequence: null,
});

const stopReason = (reply: Reply) => (reply.toolCalls.length > 0 ? 'tool_use' : 'end_turn');

function blocks(reply: Reply): JsonObject[] {
  const calls = reply.toolCalls.map((call, index) => ({
    type: 'tool_use',
    id: `toolu_${reply.id}_${index}`,
    name: call.name,
    input: object(parse(call.arguments)),
  }));
  return [...(reply.text === '' ? [] : [{ type: 'text', text: reply.text }]), ...calls];
}

// Anthropic counts cached input apart from input; here `input` holds both.
const usageOf = ({ input, cached, output }: Tokens) => ({
  input_tokens: input - cached,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: cached,
  output_tokens: output,
});

function events(reply: Reply) {
  const event = (type: string, payload: object) => ({
    event: type,
    data: JSON.stringify({ type, ...payload }),
  });
  const start = {
    ...head(reply),
    content: [],
    stop_reason: null,
    usage: { ...usageOf(reply.tokens), output_tokens: 1 },
  };
  return [
    event('message_start', { message: start }),
    ...blocks(reply).flatMap((block, index) => {
      const isText = block.type === 'text';
      const delta = isText
        ? { type: 'text_delta', text: block.text }
        : { type: 'input_json_delta', partial_json: JSON.stringify(block.input) };
      return [
        event('content_block_start', {
          index,
          content_block: isText ? { ...block, text: '' } : { ...block, input: {} },
        }),
        event('content_block_delta', { index, delta }),
        event('content_block_stop', { index }),
      ];
    }),
    event('message_delta', {
      delta: { stop_reason: stopReason(reply), stop_sequence: null },
      usage: { output_tokens: reply.tokens.output },
    }),
    event('message_stop', {}),
  ];
}

function collect(collected: Collected, payload: JsonObject): void {
  const index = count(payload.index) ?? 0;
  const delta = object(payload.delta);
  if (payload.type === 'message_start') {
    // Its output count only says that the answer has begun; the true one comes with message_delta.
    const { output_tokens: _begun, ...usage } = object(object(payload.message).usage);
    addUsage(collected, usage);
  } else if (payload.type === 'content_block_start') {
    const block = object(payload.content_block);
    if (block.type === 'tool_use') collectCall(collected, index, string(block.name), '');
  } else if (payload.type === 'content_block_delta') {
    collected.text += string(delta.text);
    collected.reasoningChars += string(delta.thinking).length;
    if (delta.type === 'input_json_delta') collectCall(collected, index, '', string(delta.partial_json));
  } else if (payload.type === 'message_delta') {
    addUsage(collected, object(payload.usage));
  } else if (payload.type === 'message_stop') {
    collected.complete = collected.finished = true;
  }
  addError(collected, payload);
}

function addBlock(collected: Collected, index: number, block: JsonObject): void {
  collected.text += string(block.text);
  collected.reasoningChars += string(block.thinking).length;
  if (block.type === 'tool_use')
    collectCall(collected, index, string(block.name), JSON.stringify(block.input ?? {}));
}

function addUsage(collected: Collected, usage: JsonObject): void {
  const fresh = count(usage.input_tokens);
  const read = count(usage.cache_read_input_tokens) ?? 0;
  const written = count(usage.cache_creation_input_tokens) ?? 0;
  // An engine that says 0 in message_delta after a true figure in message_start has only left it out.
  const input = fresh === undefined || fresh + read + written === 0 ? undefined : fresh + read + written;
  const cached = input === undefined ? undefined : read;
  collectTokens(collected, { input, cached, output: count(usage.output_tokens) });
}

function addError(collected: Collected, payload: JsonObject): void {
  if (payload.type === 'error')
    collected.error = string(object(payload.error).message) || JSON.stringify(payload);
}

function refusal({ status, code, message, requestId }: Refusal): object {
  return { type: 'error', error: { type: errorType(status), message, code }, request_id: requestId };
}

function errorType(status: number): string {
  const types: Record<number, string> = {
    401: 'authentication_error',
    403: 'permission_error',
    404: 'not_found_error',
    413: 'request_too_large',
    429: 'rate_limit_error',
    529: 'overloaded_error',
  };
  return types[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
}
