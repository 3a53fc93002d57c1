// A request of Chat Completions as one of Anthropic Messages.
import { AutocodeError } from '../../../protocol/errors.ts';
import { contentText, count, object, objects, string } from '../wire/json.ts';
import type { JsonObject } from '../wire/json.ts';
import { blocksOf, toolInput } from './content.ts';
import { present } from './translation.ts';

// Messages wants a bound where Chat Completions needs none; all of today's models of its kind can write this much.
const MAX_TOKENS = 16_384;
const CACHED = { type: 'ephemeral' };

/** The request for an engine that speaks Messages, marked for caching where the client has not done so itself. */
export function chatToMessages(body: JsonObject): JsonObject {
  if ((count(body.n) ?? 1) > 1) {
    throw new AutocodeError(
      'ERR_INVALID_INPUT',
      'The engine gives one answer, and the request wants n > 1.',
      {
        remedy: 'Leave n out and send the request several times.',
      },
    );
  }
  const messages = objects(body.messages);
  const first = messages.findIndex((message) => !isSystem(message));
  const setting = first < 0 ? messages : messages.slice(0, first);
  const system = setting.flatMap((message) => blocksOf(message.content));
  const turns = merged((first < 0 ? [] : messages.slice(first)).map(turnOf));
  const tools = objects(body.tools).flatMap(toolOf);
  if (!JSON.stringify([system, turns.at(-1)]).includes('"cache_control"')) {
    mark(system);
    mark(turns.at(-1)?.content ?? []);
  }
  const temperature = typeof body.temperature === 'number' ? Math.min(body.temperature, 1) : undefined;
  return present({
    model: body.model,
    max_tokens: count(body.max_completion_tokens) ?? count(body.max_tokens) ?? MAX_TOKENS,
    ...(system.length === 0 ? {} : { system }),
    messages: turns,
    ...(tools.length === 0 ? {} : { tools, tool_choice: choiceOf(body) }),
    stop_sequences: typeof body.stop === 'string' ? [body.stop] : body.stop,
    temperature,
    top_p: temperature === undefined ? body.top_p : undefined,
    output_config: formatOf(object(body.response_format)),
    ...(body.stream === true ? { stream: true } : {}),
  });
}

interface Turn {
  role: 'user' | 'assistant';
  content: JsonObject[];
}

const isSystem = ({ role }: JsonObject) => role === 'system' || role === 'developer';

function turnOf(message: JsonObject): Turn {
  const content = blocksOf(message.content);
  if (message.role === 'assistant') {
    const calls = objects(message.tool_calls).map((call) => ({
      type: 'tool_use',
      id: call.id,
      name: object(call.function).name,
      input: toolInput(string(object(call.function).arguments)),
    }));
    return { role: 'assistant', content: [...content, ...calls] };
  }
  if (message.role !== 'tool') return { role: 'user', content };
  const result = { type: 'tool_result', tool_use_id: message.tool_call_id };
  const plain = content.every((block) => block.type === 'text' && block.cache_control === undefined);
  return {
    role: 'user',
    content: [{ ...result, content: plain ? contentText(message.content) : content }],
  };
}

/** Turns change with the speaker; an empty one, which Messages refuses, is left out. */
function merged(turns: Turn[]): Turn[] {
  const out: Turn[] = [];
  for (const turn of turns) {
    if (turn.content.length === 0) continue;
    const last = out.at(-1);
    if (last?.role === turn.role) last.content.push(...turn.content);
    else out.push({ role: turn.role, content: [...turn.content] });
  }
  return out;
}

function mark(blocks: JsonObject[]): void {
  const last = blocks.at(-1);
  if (last !== undefined) last.cache_control = CACHED;
}

function toolOf(tool: JsonObject): JsonObject[] {
  const { name, description, parameters, strict } = object(tool.function);
  if (tool.type !== 'function') return [];
  const input_schema = parameters ?? { type: 'object', properties: {} };
  return [present({ name, description, input_schema, strict })];
}

function choiceOf({
  tool_choice: choice,
  parallel_tool_calls: parallel,
}: JsonObject): JsonObject | undefined {
  const one = parallel === false ? { disable_parallel_tool_use: true } : {};
  if (choice === 'none') return { type: 'none' };
  if (choice === 'required') return { type: 'any', ...one };
  const name = object(object(choice).function).name;
  if (name !== undefined) return { type: 'tool', name, ...one };
  return parallel === false ? { type: 'auto', ...one } : undefined;
}

function formatOf({ type, json_schema }: JsonObject): JsonObject | undefined {
  return type === 'json_schema' ? { format: { type, schema: object(json_schema).schema } } : undefined;
}
