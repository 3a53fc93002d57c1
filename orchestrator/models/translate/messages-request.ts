// A request of Anthropic Messages as one of Chat Completions.
import { contentText, object, objects, string } from '../wire/json.ts';
import type { JsonObject } from '../wire/json.ts';
import { assistantForChat, chatContent, partsForChat } from './content.ts';
import { knownEffort, present } from './translation.ts';

// Claude Code opens its system prompt with a line that changes with every request, which no prefix cache survives.
const BILLING = 'x-anthropic-billing-header';

/** The request for an engine that speaks Chat Completions. Marks for caching are left out: such engines cache by themselves. */
export function messagesToChat(body: JsonObject): JsonObject {
  const tools = objects(body.tools).flatMap(toolOf);
  const choice = object(body.tool_choice);
  const effort = knownEffort(object(body.output_config).effort);
  return present({
    model: body.model,
    messages: [...systemOf(body), ...objects(body.messages).flatMap(messageOf)],
    ...(tools.length === 0
      ? {}
      : {
          tools,
          tool_choice: choiceOf(choice),
          parallel_tool_calls: choice.disable_parallel_tool_use === true ? false : undefined,
        }),
    max_tokens: body.max_tokens,
    stop: body.stop_sequences,
    temperature: body.temperature,
    top_p: body.top_p,
    top_k: body.top_k,
    reasoning_effort: effort,
    response_format: formatOf(body),
    ...(body.stream === true ? { stream: true, stream_options: { include_usage: true } } : {}),
  });
}

function systemOf({ system }: JsonObject): JsonObject[] {
  const parts = typeof system === 'string' ? [system] : objects(system).map((block) => string(block.text));
  const text = parts.filter((part) => part !== '' && !part.startsWith(BILLING)).join('\n\n');
  return text === '' ? [] : [{ role: 'system', content: text }];
}

function messageOf({ role, content }: JsonObject): JsonObject[] {
  const blocks = blocksIn(content);
  if (role === 'assistant') return [assistantOf(blocks)];
  // Many chat templates take a system message in front only.
  if (role === 'system') return [{ role: 'user', content: contentText(content) }];
  const results = blocks.filter((block) => block.type === 'tool_result').map(resultOf);
  const own = partsForChat(blocks);
  // A tool's message holds text alone, so its images follow in the user's name, after all results.
  const said = [...results.flatMap((result) => result.images), ...own];
  return [
    ...results.map((result) => result.message),
    ...(said.length > 0 ? [{ role: 'user', content: chatContent(said) }] : []),
  ];
}

function blocksIn(content: unknown): JsonObject[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : objects(content);
}

function assistantOf(blocks: JsonObject[]): JsonObject {
  // Only an engine that shows its reasoning ever gets some back.
  const { text, reasoning, calls } = assistantForChat(blocks, '\n');
  const content = text === '' && 'tool_calls' in calls ? null : text;
  return { role: 'assistant', content, ...reasoning, ...calls };
}

function resultOf({ tool_use_id, content, is_error }: JsonObject): {
  message: JsonObject;
  images: JsonObject[];
} {
  const parts = partsForChat(blocksIn(content));
  const images = parts.filter((part) => part.type !== 'text');
  const text = contentText(parts.filter((part) => part.type === 'text'));
  const shown = text !== '' ? text : images.length > 0 ? 'See the picture below.' : '';
  return {
    message: {
      role: 'tool',
      tool_call_id: tool_use_id,
      content: is_error === true && !/error/i.test(shown) ? `Error: ${shown}` : shown,
    },
    images: images.length === 0 ? [] : [{ type: 'text', text: `From ${string(tool_use_id)}:` }, ...images],
  };
}

// Tools without a schema run at Anthropic; no other engine has them.
function toolOf(tool: JsonObject): JsonObject[] {
  if (tool.input_schema === undefined) return [];
  const { name, description, input_schema: parameters, strict } = tool;
  return [{ type: 'function', function: present({ name, description, parameters, strict }) }];
}

function choiceOf({ type, name }: JsonObject): unknown {
  if (type === 'tool') return { type: 'function', function: { name } };
  return type === 'any' ? 'required' : type;
}

function formatOf(body: JsonObject): JsonObject | undefined {
  const { type, schema } = object(object(body.output_config).format ?? body.output_format);
  if (type !== 'json_schema') return undefined;
  return { type, json_schema: { name: 'answer', schema, strict: true } };
}
