// A client of OpenAI Responses in front of an engine that speaks Chat Completions.
import { count, object, objects, parse, string } from '../wire/json.ts';
import type { JsonObject } from '../wire/json.ts';
import { offeredTools, responsesToChat } from './responses-request.ts';
import type { NamedTool } from './responses-request.ts';
import type { StreamTranslation, Translation } from './translation.ts';

/** Responses in, Chat Completions out. */
export const responsesOverChat: Translation = { request: responsesToChat, whole, stream };

function whole(answer: JsonObject, asked: JsonObject): JsonObject {
  const choice = objects(answer.choices)[0] ?? {};
  const events = stream(asked);
  const { message, ...rest } = choice;
  const parts = [{ ...answer, choices: [{ ...rest, delta: numbered(object(message)) }] }].flatMap((payload) =>
    events.push(payload),
  );
  return object([...parts, ...events.end()].at(-1)?.response);
}

const numbered = (message: JsonObject) => ({
  ...message,
  tool_calls: objects(message.tool_calls).map((call, index) => ({ index, ...call })),
});

interface Item {
  kind: 'reasoning' | 'message' | 'call';
  index: number;
  id: string;
  callId: string;
  name: string;
  text: string;
}

function stream(asked: JsonObject): StreamTranslation {
  const tools = offeredTools(asked.tools);
  const items: Item[] = [];
  const calls = new Map<number, Item>();
  let sequence = 0;
  let open: Item | undefined;
  let first: JsonObject | undefined;
  let failed = false;
  let finish = '';
  let usage: JsonObject | undefined;

  const event = (type: string, payload: object): JsonObject => ({
    type,
    sequence_number: sequence++,
    ...payload,
  });
  const id = () => string(first?.id).replace(/^chatcmpl-/, '') || 'translated';
  const response = (status: string, rest: object = {}) => ({
    id: `resp_${id()}`,
    object: 'response',
    created_at: count(first?.created) ?? 0,
    status,
    model: asked.model ?? first?.model ?? '',
    output: [],
    parallel_tool_calls: asked.parallel_tool_calls ?? true,
    tool_choice: asked.tool_choice ?? 'auto',
    tools: asked.tools ?? [],
    metadata: {},
    instructions: asked.instructions ?? null,
    temperature: asked.temperature ?? null,
    top_p: asked.top_p ?? null,
    usage: null,
    error: null,
    incomplete_details: null,
    ...rest,
  });
  const begin = (payload: JsonObject): JsonObject[] => {
    if (first !== undefined) return [];
    first = payload;
    return [
      event('response.created', { response: response('in_progress') }),
      event('response.in_progress', { response: response('in_progress') }),
    ];
  };
  const add = (kind: Item['kind'], of: Partial<Item> = {}): Item => {
    const prefix = { reasoning: 'rs', message: 'msg', call: 'fc' }[kind];
    const made = { kind, index: items.length, callId: '', name: '', text: '', ...of };
    const item = { ...made, id: `${prefix}_${id()}_${made.index}` };
    items.push(item);
    return item;
  };
  const close = (item: Item | undefined): JsonObject[] => {
    if (item === undefined) return [];
    if (item === open) open = undefined;
    const place = { item_id: item.id, output_index: item.index };
    const done = event('response.output_item.done', {
      output_index: item.index,
      item: finished(item, tools),
    });
    if (item.kind !== 'call') {
      const at = { ...place, content_index: 0 };
      return [
        item.kind === 'message'
          ? event('response.output_text.done', { ...at, text: item.text, logprobs: [] })
          : event('response.reasoning_text.done', { ...at, text: item.text }),
        event('response.content_part.done', { ...at, part: partOf(item, item.text) }),
        done,
      ];
    }
    const freeform = tools.get(item.name)?.freeform === true;
    const said = freeform
      ? [event('response.custom_tool_call_input.delta', { ...place, delta: freeText(item.text) })]
      : [];
    const ended = freeform
      ? event('response.custom_tool_call_input.done', { ...place, input: freeText(item.text) })
      : event('response.function_call_arguments.done', { ...place, name: item.name, arguments: item.text });
    return [...said, ended, done];
  };
  const say = (kind: 'reasoning' | 'message', delta: string): JsonObject[] => {
    if (delta === '') return [];
    const out: JsonObject[] = [];
    if (open?.kind !== kind) {
      out.push(...close(open));
      open = add(kind);
      out.push(event('response.output_item.added', { output_index: open.index, item: begun(open, tools) }));
      const at = { item_id: open.id, output_index: open.index, content_index: 0 };
      out.push(event('response.content_part.added', { ...at, part: partOf(open, '') }));
    }
    open.text += delta;
    const at = { item_id: open.id, output_index: open.index, content_index: 0, delta };
    return [
      ...out,
      kind === 'message'
        ? event('response.output_text.delta', { ...at, logprobs: [] })
        : event('response.reasoning_text.delta', at),
    ];
  };
  const call = (part: JsonObject, position: number): JsonObject[] => {
    const at = count(part.index) ?? position;
    const called = object(part.function);
    const out: JsonObject[] = [];
    let item = calls.get(at);
    if (item === undefined) {
      out.push(...close(open));
      item = add('call', { callId: string(part.id) || `call_${id()}_${at}`, name: string(called.name) });
      calls.set(at, item);
      out.push(event('response.output_item.added', { output_index: item.index, item: begun(item, tools) }));
    }
    const delta = string(called.arguments);
    item.text += delta;
    // Free text is inside JSON, so it can be told only when all of it is there.
    if (delta === '' || tools.get(item.name)?.freeform === true) return out;
    const place = { item_id: item.id, output_index: item.index };
    return [...out, event('response.function_call_arguments.delta', { ...place, delta })];
  };
  return {
    push(payload) {
      const out = begin(payload);
      if (payload.error !== undefined && payload.error !== null) {
        const message = string(object(payload.error).message) || JSON.stringify(payload.error);
        failed = true;
        const error = { code: 'server_error', message };
        return [...out, event('response.failed', { response: response('failed', { error }) })];
      }
      if (payload.usage !== undefined && payload.usage !== null) usage = object(payload.usage);
      const choice = objects(payload.choices)[0];
      if (choice === undefined) return out;
      finish = string(choice.finish_reason) || finish;
      const delta = object(choice.delta);
      out.push(...say('reasoning', string(delta.reasoning_content) || string(delta.reasoning)));
      out.push(...say('message', string(delta.content) || string(delta.refusal)));
      for (const [position, part] of objects(delta.tool_calls).entries()) out.push(...call(part, position));
      return out;
    },
    end() {
      if (failed) return [];
      const out = begin({});
      out.push(...close(open), ...[...calls.values()].flatMap(close));
      const output = items.map((item) => finished(item, tools));
      const reason = { length: 'max_output_tokens', content_filter: 'content_filter' }[finish];
      const rest = { output, usage: usage === undefined ? null : usageOf(usage) };
      return reason === undefined
        ? [...out, event('response.completed', { response: response('completed', rest) })]
        : [
            ...out,
            event('response.incomplete', {
              response: response('incomplete', { ...rest, incomplete_details: { reason } }),
            }),
          ];
    },
  };
}

const partOf = ({ kind }: Item, text: string) =>
  kind === 'reasoning'
    ? { type: 'reasoning_text', text }
    : { type: 'output_text', text, annotations: [], logprobs: [] };

/** An item of which nothing has been said yet. */
function begun(item: Item, tools: Map<string, NamedTool>): JsonObject {
  const made = finished({ ...item, text: '' }, tools);
  if (item.kind !== 'call') made.content = [];
  return item.kind === 'reasoning' ? made : { ...made, status: 'in_progress' };
}

function finished(item: Item, tools: Map<string, NamedTool>): JsonObject {
  const { id, text, name, callId: call_id } = item;
  if (item.kind === 'reasoning') return { type: 'reasoning', id, summary: [], content: [partOf(item, text)] };
  if (item.kind === 'message')
    return { type: 'message', id, role: 'assistant', status: 'completed', content: [partOf(item, text)] };
  const tool = tools.get(name);
  const from = tool?.namespace === undefined ? {} : { namespace: tool.namespace };
  if (tool?.freeform === true)
    return {
      type: 'custom_tool_call',
      id,
      call_id,
      name,
      ...from,
      input: freeText(text),
      status: 'completed',
    };
  return { type: 'function_call', id, call_id, name, ...from, arguments: text, status: 'completed' };
}

/** The free text in the arguments; a model that forgot the JSON around it is taken at its word. */
function freeText(text: string): string {
  const { input } = object(parse(text));
  return typeof input === 'string' ? input : text;
}

function usageOf(usage: JsonObject): JsonObject {
  const input = count(usage.prompt_tokens) ?? 0;
  const output = count(usage.completion_tokens) ?? 0;
  const cached_tokens = count(object(usage.prompt_tokens_details).cached_tokens) ?? 0;
  const reasoning_tokens = count(object(usage.completion_tokens_details).reasoning_tokens) ?? 0;
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens },
    total_tokens: input + output,
  };
}
