// Parts of messages in the shapes of Chat Completions and Messages, and arguments of tools. Used by the translations.
import { AutocodeError } from '../../../protocol/errors.ts';
import { contentText, object, objects, parse, string } from '../wire/json.ts';
import type { JsonObject } from '../wire/json.ts';

/** The arguments of a tool call as an object. Text that is no JSON object is handed on, so that the agent can show it to the model. */
export function toolInput(text: string): JsonObject {
  if (text.trim() === '') return {};
  const parsed = parse(text);
  return object(parsed) === parsed ? (parsed as JsonObject) : { malformed_arguments: text };
}

/** Parts of Messages as parts of Chat Completions, without what has no counterpart. */
export function partsForChat(blocks: JsonObject[]): JsonObject[] {
  return blocks.flatMap((block): JsonObject[] => {
    const source = object(block.source);
    if (block.type === 'text') return [{ type: 'text', text: string(block.text) }];
    if (block.type === 'image') return [{ type: 'image_url', image_url: { url: addressOf(source) } }];
    if (block.type !== 'document') return [];
    if (source.type === 'text') return [{ type: 'text', text: string(source.data) }];
    if (source.type === 'content') return [{ type: 'text', text: contentText(source.content) }];
    const filename = string(block.title) || 'document.pdf';
    return [{ type: 'file', file: { filename, file_data: addressOf(source) } }];
  });
}

/** One part of Chat Completions as a part of Messages. */
export function partForMessages(part: JsonObject): JsonObject {
  const cached = part.cache_control === undefined ? {} : { cache_control: part.cache_control };
  if (part.type === 'text' || part.type === 'refusal')
    return { type: 'text', text: string(part.text) || string(part.refusal), ...cached };
  if (part.type === 'image_url')
    return { type: 'image', source: sourceOf(string(object(part.image_url).url)), ...cached };
  if (part.type === 'file') {
    const { filename, file_data: data } = object(part.file);
    if (typeof data === 'string')
      return { type: 'document', source: sourceOf(data), title: string(filename) || 'document' };
  }
  throw new AutocodeError('ERR_INVALID_INPUT', `The engine takes no ${String(part.type)} content.`, {
    remedy: 'Send text, images or files with their data, or use another model.',
  });
}

/** Content of Chat Completions (text or parts) as the parts of Messages, without empty ones, which Messages refuses. */
export function blocksOf(content: unknown): JsonObject[] {
  const blocks =
    typeof content === 'string' ? [{ type: 'text', text: content }] : objects(content).map(partForMessages);
  return blocks.filter((block: JsonObject) => block.type !== 'text' || block.text !== '');
}

/** Parts of Chat Completions as its content: plain text where there is nothing else, which every engine takes. */
export function chatContent(parts: JsonObject[]): string | JsonObject[] {
  return parts.every((part) => part.type === 'text')
    ? parts.map((part) => string(part.text)).join('\n')
    : parts;
}

/** What an assistant said in blocks of Messages as the members of a message of Chat Completions; texts are joined by `between`. */
export function assistantForChat(
  blocks: JsonObject[],
  between: string,
): { text: string; reasoning: JsonObject; calls: JsonObject } {
  const textOf = (type: string, member: string) =>
    blocks
      .filter((block) => block.type === type)
      .map((block) => string(block[member]))
      .join(between);
  const thinking = textOf('thinking', 'thinking');
  const calls = blocks
    .filter((block) => block.type === 'tool_use')
    .map(({ id, name, input }) => ({
      id,
      type: 'function',
      function: { name, arguments: JSON.stringify(input ?? {}) },
    }));
  return {
    text: textOf('text', 'text'),
    reasoning: thinking === '' ? {} : { reasoning_content: thinking },
    calls: calls.length === 0 ? {} : { tool_calls: calls },
  };
}

function addressOf(source: JsonObject): string {
  return source.type === 'base64'
    ? `data:${string(source.media_type)};base64,${string(source.data)}`
    : string(source.url);
}

function sourceOf(address: string): JsonObject {
  const [, media_type, data] = /^data:([^;,]+);base64,(.*)$/s.exec(address) ?? [];
  return data === undefined ? { type: 'url', url: address } : { type: 'base64', media_type, data };
}
