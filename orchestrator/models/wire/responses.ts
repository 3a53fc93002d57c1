// OpenAI Responses on the wire. Spoken by Codex.
import { contentText, count, object, objects, string } from './json.ts';
import type { JsonObject } from './json.ts';
import { openaiRefusal } from './openai-error.ts';
import { collectCall, collectTokens } from './wire.ts';
import type { Collected, Conversation, OfferedTool, Reply, Wire } from './wire.ts';

export const responses: Wire = {
  protocol: 'responses',
  path: '/responses',
  read,
  whole: (reply) => response(reply, 'completed', items(reply)),
  events,
  collect,
  collectWhole(collected, body) {
    for (const item of objects(body.output)) addItem(collected, item);
    addEnd(collected, body);
  },
  refusal: openaiRefusal,
  refusalEvent: (refused) => ({
    event: 'error',
    data: JSON.stringify({
      type: 'error',
      code: refused.code,
      message: refused.message,
      param: null,
      sequence_number: 0,
    }),
  }),
};

function read(body: JsonObject): Conversation {
  const input =
    typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : objects(body.input);
  const answered = input.findIndex(byModel);
  const before = answered < 0 ? input : input.slice(0, answered);
  const textOf = (role: string, list: JsonObject[]) =>
    list
      .filter((item) => item.role === role)
      .map((item) => contentText(item.content))
      .join('\n');
  return {
    opening: textOf('user', before),
    setting: [string(body.instructions), textOf('system', input), textOf('developer', input)].join('\n'),
    // One answer is a run of items: reasoning, text and calls, one after the other.
    turn: input.filter((item, index) => byModel(item) && !(index > 0 && byModel(input[index - 1] ?? {})))
      .length,
    tools: offered(body.tools),
  };
}

function byModel(item: JsonObject): boolean {
  return item.role === 'assistant' || item.type === 'reasoning' || string(item.type).endsWith('_call');
}

function offered(tools: unknown): OfferedTool[] {
  return objects(tools).flatMap((tool) =>
    tool.type === 'namespace'
      ? offered(tool.tools)
      : [{ name: string(tool.name) || string(tool.type), freeform: tool.type === 'custom' }],
  );
}

function items(reply: Reply): JsonObject[] {
  const text = { type: 'output_text', text: reply.text, annotations: [] };
  const message = {
    type: 'message',
    id: `msg_${reply.id}`,
    role: 'assistant',
    status: 'completed',
    content: [text],
  };
  const calls = reply.toolCalls.map((call, index) => ({
    type: call.freeform ? 'custom_tool_call' : 'function_call',
    id: `fc_${reply.id}_${index}`,
    call_id: `call_${reply.id}_${index}`,
    name: call.name,
    ...(call.freeform ? { input: call.arguments } : { arguments: call.arguments }),
    status: 'completed',
  }));
  return [...(reply.text === '' ? [] : [message]), ...calls];
}

function response(reply: Reply, status: string, output: JsonObject[]): JsonObject {
  const { input, cached, output: made } = reply.tokens;
  const usage = {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: made,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input + made,
  };
  const head = {
    id: `resp_${reply.id}`,
    object: 'response',
    created_at: 1,
    status,
    model: reply.model,
    output,
  };
  return { ...head, usage: status === 'completed' ? usage : null, error: null, incomplete_details: null };
}

function events(reply: Reply) {
  let sequence = 0;
  const event = (type: string, payload: object) => ({
    event: type,
    data: JSON.stringify({ type, sequence_number: sequence++, ...payload }),
  });
  const done = items(reply);
  return [
    event('response.created', { response: response(reply, 'in_progress', []) }),
    ...done.flatMap((item, index) => {
      const place = { item_id: item.id, output_index: index };
      const added = (empty: object) =>
        event('response.output_item.added', {
          output_index: index,
          item: { ...item, ...empty, status: 'in_progress' },
        });
      const ended = event('response.output_item.done', { output_index: index, item });
      if (item.type === 'message') {
        const [part] = objects(item.content);
        const at = { ...place, content_index: 0 };
        return [
          added({ content: [] }),
          event('response.content_part.added', { ...at, part: { ...part, text: '' } }),
          event('response.output_text.delta', { ...at, delta: reply.text }),
          event('response.output_text.done', { ...at, text: reply.text }),
          event('response.content_part.done', { ...at, part }),
          ended,
        ];
      }
      const [key, name] =
        item.type === 'function_call'
          ? ['arguments', 'function_call_arguments']
          : ['input', 'custom_tool_call_input'];
      return [
        added({ [key as string]: '' }),
        event(`response.${name}.delta`, { ...place, delta: item[key as string] }),
        event(`response.${name}.done`, { ...place, [key as string]: item[key as string] }),
        ended,
      ];
    }),
    event('response.completed', { response: response(reply, 'completed', done) }),
  ];
}

function collect(collected: Collected, payload: JsonObject): void {
  const key = string(payload.item_id);
  const item = object(payload.item);
  switch (payload.type) {
    case 'response.output_text.delta':
      collected.text += string(payload.delta);
      break;
    case 'response.reasoning_text.delta':
    case 'response.reasoning_summary_text.delta':
      collected.reasoningChars += string(payload.delta).length;
      break;
    case 'response.output_item.added':
      if (isCall(item)) collectCall(collected, string(item.id), string(item.name), '');
      break;
    case 'response.function_call_arguments.delta':
    case 'response.custom_tool_call_input.delta':
      collectCall(collected, key, '', string(payload.delta));
      break;
    // The whole item again: right where an engine sent no deltas, and it repairs what a delta left out.
    case 'response.output_item.done':
      if (isCall(item)) collected.toolCalls.set(string(item.id), callOf(item));
      break;
    case 'response.completed':
    case 'response.incomplete':
    case 'response.failed':
      if (collected.text === '') collected.text = outputText(object(payload.response));
      addEnd(collected, object(payload.response));
      break;
    case 'error':
      collected.error =
        string(payload.message) || string(object(payload.error).message) || JSON.stringify(payload);
  }
}

const isCall = (item: JsonObject) => item.type === 'function_call' || item.type === 'custom_tool_call';

const callOf = (item: JsonObject) => ({
  name: string(item.name),
  arguments: string(item.arguments) || string(item.input),
});

function addItem(collected: Collected, item: JsonObject): void {
  if (item.type === 'message') collected.text += contentText(item.content);
  if (isCall(item)) collected.toolCalls.set(string(item.id) || collected.toolCalls.size, callOf(item));
}

function outputText(body: JsonObject): string {
  return objects(body.output)
    .filter((item) => item.type === 'message')
    .map((item) => contentText(item.content))
    .join('');
}

function addEnd(collected: Collected, body: JsonObject): void {
  const usage = object(body.usage);
  const cached = count(object(usage.input_tokens_details).cached_tokens);
  collectTokens(collected, { input: count(usage.input_tokens), cached, output: count(usage.output_tokens) });
  collected.reasoningTokens =
    count(object(usage.output_tokens_details).reasoning_tokens) ?? collected.reasoningTokens;
  if (body.error !== undefined && body.error !== null)
    collected.error = string(object(body.error).message) || 'failed';
  collected.complete = collected.finished = true;
}
