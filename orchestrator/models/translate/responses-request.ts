// A request of OpenAI Responses as one of Chat Completions.
import { AutocodeError } from '../../../protocol/errors.ts';
import { contentText, object, objects, string } from '../wire/json.ts';
import type { JsonObject } from '../wire/json.ts';
import { chatContent } from './content.ts';
import { knownEffort, present } from './translation.ts';

/** What the model calls a tool by, and what the client does. */
export interface NamedTool {
  /** Takes free text: the model is given a function with one member `input` for it. */
  freeform: boolean;
  namespace: string | undefined;
}

// State that only the server of Responses keeps.
const KEPT_ELSEWHERE = ['previous_response_id', 'conversation', 'prompt', 'background'];

/** The request for an engine that speaks Chat Completions. */
export function responsesToChat(body: JsonObject): JsonObject {
  for (const name of KEPT_ELSEWHERE) {
    if (body[name] === undefined || body[name] === null || body[name] === false) continue;
    throw new AutocodeError(
      'ERR_INVALID_INPUT',
      `The engine of this model keeps no conversations, and the request uses ${name}.`,
      { remedy: `Send the whole conversation as input, without ${name}.` },
    );
  }
  const tools = objects(body.tools).flatMap((tool) => functionsOf(tool));
  return present({
    model: body.model,
    messages: messagesOf(body),
    ...(tools.length === 0
      ? {}
      : { tools, tool_choice: choiceOf(body.tool_choice), parallel_tool_calls: body.parallel_tool_calls }),
    max_tokens: body.max_output_tokens,
    temperature: body.temperature,
    top_p: body.top_p,
    reasoning_effort: knownEffort(object(body.reasoning).effort),
    response_format: formatOf(object(object(body.text).format)),
    ...(body.stream === true ? { stream: true, stream_options: { include_usage: true } } : {}),
  });
}

/** The tools that the client offers, by the name that the model knows. */
export function offeredTools(tools: unknown, namespace?: string): Map<string, NamedTool> {
  const named = new Map<string, NamedTool>();
  for (const tool of objects(tools)) {
    if (tool.type === 'namespace') {
      for (const [name, inner] of offeredTools(tool.tools, string(tool.name))) named.set(name, inner);
    } else {
      named.set(string(tool.name), { freeform: tool.type === 'custom', namespace });
    }
  }
  return named;
}

function messagesOf(body: JsonObject): JsonObject[] {
  const input =
    typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : objects(body.input);
  const out: JsonObject[] = [];
  const setting = [string(body.instructions)];
  let reasoning = '';
  // One answer is a run of items; Chat Completions says it in one message.
  const assistant = (): JsonObject => {
    const last = out.at(-1);
    if (last?.role === 'assistant') return last;
    const made: JsonObject = { role: 'assistant', content: null };
    if (reasoning !== '') made.reasoning_content = reasoning;
    reasoning = '';
    out.push(made);
    return made;
  };
  for (const item of input) {
    const type = string(item.type) || 'message';
    if (type === 'reasoning') {
      reasoning = contentText(item.content) || contentText(item.summary);
    } else if (type === 'message' && item.role === 'assistant') {
      const message = assistant();
      message.content = [string(message.content), contentText(item.content)].filter(Boolean).join('\n');
    } else if (type === 'message' && item.role !== 'user' && out.length === 0) {
      setting.push(contentText(item.content));
    } else if (type === 'message') {
      // A system message that comes late speaks in the user's name: many chat templates take it in front only.
      out.push({ role: 'user', content: chatContent(partsOf(item.content)) });
    } else if (type === 'function_call' || type === 'custom_tool_call') {
      const message = assistant();
      message.tool_calls = [...objects(message.tool_calls), callOf(item)];
    } else if (type === 'function_call_output' || type === 'custom_tool_call_output') {
      out.push({ role: 'tool', tool_call_id: item.call_id, content: contentText(item.output) });
      const images = partsOf(item.output).filter((part) => part.type !== 'text');
      if (images.length > 0) out.push({ role: 'user', content: images });
    } else if (type === 'item_reference') {
      throw new AutocodeError('ERR_INVALID_INPUT', 'The input refers to an item that is kept elsewhere.', {
        remedy: 'Send the item itself (store: false).',
      });
    }
  }
  const system = setting.filter((text) => text !== '').join('\n\n');
  return [...(system === '' ? [] : [{ role: 'system', content: system }]), ...resultsFirst(out)];
}

/** All results of one turn stand together behind the calls; pictures of them follow. */
function resultsFirst(messages: JsonObject[]): JsonObject[] {
  const out: JsonObject[] = [];
  let pictures: JsonObject[] = [];
  for (const [index, message] of messages.entries()) {
    const picture = Array.isArray(message.content) && messages[index - 1]?.role === 'tool';
    if (picture && messages[index + 1]?.role === 'tool') {
      pictures.push(message);
      continue;
    }
    if (message.role !== 'tool') {
      out.push(...pictures);
      pictures = [];
    }
    out.push(message);
  }
  return [...out, ...pictures];
}

function partsOf(content: unknown): JsonObject[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return objects(content).flatMap((part): JsonObject[] => {
    if (part.type === 'input_image')
      return [{ type: 'image_url', image_url: { url: string(part.image_url) } }];
    if (part.type === 'input_file') {
      const file = present({ filename: part.filename, file_data: part.file_data });
      return [{ type: 'file', file }];
    }
    return typeof part.text === 'string' ? [{ type: 'text', text: part.text }] : [];
  });
}

function callOf(item: JsonObject): JsonObject {
  const args =
    item.type === 'custom_tool_call' ? JSON.stringify({ input: string(item.input) }) : string(item.arguments);
  return { id: item.call_id, type: 'function', function: { name: item.name, arguments: args } };
}

// What runs at OpenAI (search, images, its shell) no other engine has: it is left out.
function functionsOf(tool: JsonObject): JsonObject[] {
  if (tool.type === 'namespace') return objects(tool.tools).flatMap(functionsOf);
  const { name, description, parameters, strict } = tool;
  if (tool.type === 'function')
    return [{ type: 'function', function: present({ name, description, parameters, strict }) }];
  if (tool.type !== 'custom') return [];
  const grammar = string(object(tool.format).definition);
  const told = [description, grammar && `The input follows this grammar:\n${grammar}`]
    .filter(Boolean)
    .join('\n\n');
  const input = { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] };
  return [{ type: 'function', function: { name, description: told, parameters: input } }];
}

function choiceOf(choice: unknown): unknown {
  if (typeof choice === 'string') return choice;
  const { name } = object(choice);
  return name === undefined ? undefined : { type: 'function', function: { name } };
}

function formatOf({ type, name, schema, strict }: JsonObject): JsonObject | undefined {
  if (type === 'json_object') return { type };
  return type === 'json_schema' ? { type, json_schema: present({ name, schema, strict }) } : undefined;
}
