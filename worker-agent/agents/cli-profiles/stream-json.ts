// The lines of `--output-format stream-json`, as Claude Code and Cursor's CLI print them: nearly one format. Tools differ:
// Claude Code has them as blocks within messages, Cursor's CLI as `tool_call` lines. Used by their profiles.
import type { ToolCallContent, ToolKind } from '@agentclientprotocol/sdk';
import { z } from 'zod';
import type { Fact } from './profile.ts';

const Tool = z.record(z.string(), z.unknown());
const Block = z.object({
  type: z.string(),
  text: z.string().optional(),
  thinking: z.string().optional(),
  id: z.string().optional(),
  name: z.string().optional(),
  input: Tool.optional(),
  tool_use_id: z.string().optional(),
  content: z.unknown().optional(),
  is_error: z.boolean().nullish(),
});
type Block = z.infer<typeof Block>;
const Message = z.object({ content: z.union([z.string(), z.array(Block)]) });
const count = z.number().nullish();

const Line = z.discriminatedUnion('type', [
  z.object({ type: z.literal('system'), session_id: z.string().optional() }),
  z.object({ type: z.literal('assistant'), message: Message }),
  z.object({
    type: z.literal('user'),
    message: Message,
    tool_use_result: z
      .object({ filePath: z.string(), originalFile: z.string().nullish() })
      .optional()
      .catch(undefined),
  }),
  z.object({ type: z.literal('thinking'), text: z.string().optional() }),
  z.object({
    type: z.literal('tool_call'),
    subtype: z.string(),
    call_id: z.string(),
    tool_call: z.record(z.string(), z.object({ args: Tool.optional(), result: Tool.optional() })),
  }),
  z.object({
    type: z.literal('result'),
    subtype: z.string().optional(),
    is_error: z.boolean().optional(),
    result: z.string().optional(),
    errors: z.array(z.string()).optional(),
    session_id: z.string().optional(),
    usage: z
      .object({
        input_tokens: count,
        output_tokens: count,
        cache_read_input_tokens: count,
        cache_creation_input_tokens: count,
      })
      .optional(),
  }),
]);
type Line = z.infer<typeof Line>;

/** What a line tells. */
export function readStreamJson(line: object): Fact[] {
  const { data } = Line.safeParse(line);
  switch (data?.type) {
    case 'system':
      return session(data.session_id);
    case 'thinking':
      return data.text ? [said('agent_thought_chunk', data.text)] : [];
    case 'assistant':
      return blocksOf(data.message).flatMap(assistantBlock);
    case 'user':
      return blocksOf(data.message).flatMap((block) => toolResult(block, data.tool_use_result));
    case 'tool_call':
      return Object.entries(data.tool_call).map(([name, call]) =>
        toolCall(data.call_id, data.subtype, name, call),
      );
    case 'result':
      return [...session(data.session_id), ...usage(data), ending(data)];
    default:
      return [];
  }
}

function blocksOf({ content }: z.infer<typeof Message>): Block[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

function session(id: string | undefined): Fact[] {
  return id === undefined ? [] : [{ session: id }];
}

function said(sessionUpdate: 'agent_message_chunk' | 'agent_thought_chunk', text: string): Fact {
  return { update: { sessionUpdate, content: { type: 'text', text } } };
}

function assistantBlock(block: Block): Fact[] {
  if (block.type === 'text' && block.text) return [said('agent_message_chunk', block.text)];
  if (block.type === 'thinking' && block.thinking) return [said('agent_thought_chunk', block.thinking)];
  if (block.type !== 'tool_use' || block.id === undefined) return [];
  return [started(block.id, block.name ?? 'tool', block.input ?? {})];
}

function toolResult(
  block: Block,
  file: { filePath: string; originalFile?: string | null | undefined } | undefined,
): Fact[] {
  if (block.type !== 'tool_result' || block.tool_use_id === undefined) return [];
  const content: ToolCallContent[] = block.is_error
    ? [{ type: 'content', content: { type: 'text', text: textOf(block.content) } }]
    : file
      ? [{ type: 'diff', path: file.filePath, oldText: file.originalFile ?? null, newText: '' }]
      : [];
  return [ended(block.tool_use_id, !block.is_error, content)];
}

function textOf(content: unknown): string {
  return typeof content === 'string' ? content : JSON.stringify(content ?? '');
}

interface CursorCall {
  args?: z.infer<typeof Tool> | undefined;
  result?: z.infer<typeof Tool> | undefined;
}

function toolCall(id: string, subtype: string, key: string, { args = {}, result = {} }: CursorCall): Fact {
  if (subtype !== 'completed') return started(id, key.replace(/ToolCall$/, ''), args);
  const failed = !('success' in result);
  const why: ToolCallContent = { type: 'content', content: { type: 'text', text: JSON.stringify(result) } };
  return ended(id, !failed, failed ? [why] : []);
}

function started(toolCallId: string, name: string, input: z.infer<typeof Tool>): Fact {
  const text = (key: string) => (typeof input[key] === 'string' ? input[key] : undefined);
  const path = text('file_path') ?? text('path');
  return {
    update: {
      sessionUpdate: 'tool_call',
      toolCallId,
      title: [name, text('command') ?? path ?? text('pattern')].filter(Boolean).join(' '),
      kind: kindOf(name),
      status: 'in_progress',
      ...(path === undefined ? {} : { locations: [{ path }] }),
    },
  };
}

function ended(toolCallId: string, succeeded: boolean, content: ToolCallContent[]): Fact {
  const status = succeeded ? 'completed' : 'failed';
  return { update: { sessionUpdate: 'tool_call_update', toolCallId, status, content } };
}

const KINDS: [RegExp, ToolKind][] = [
  [/^read/i, 'read'],
  [/^(write|edit|multiedit|notebookedit|applypatch)/i, 'edit'],
  [/^delete/i, 'delete'],
  [/^(grep|glob|ls|semsearch|semanticsearch)/i, 'search'],
  [/^(bash|shell)/i, 'execute'],
  [/^web/i, 'fetch'],
  [/^(todo|updatetodos)/i, 'think'],
];

function kindOf(name: string): ToolKind {
  return KINDS.find(([pattern]) => pattern.test(name))?.[1] ?? 'other';
}

// Claude Code leaves the cached tokens out of its input.
function usage({ usage: counts }: Extract<Line, { type: 'result' }>): Fact[] {
  if (counts === undefined) return [];
  const cachedTokens = counts.cache_read_input_tokens ?? 0;
  const inputTokens = (counts.input_tokens ?? 0) + cachedTokens + (counts.cache_creation_input_tokens ?? 0);
  const outputTokens = counts.output_tokens ?? 0;
  return inputTokens + outputTokens === 0 ? [] : [{ usage: { inputTokens, cachedTokens, outputTokens } }];
}

// An error may come with the subtype `success`: only `is_error` counts.
function ending({ is_error, subtype = '', result, errors }: Extract<Line, { type: 'result' }>): Fact {
  if (!is_error) return { ended: 'done', error: null };
  const error = (errors?.join('; ') || result || subtype).replace(/^API Error: /, '');
  return { ended: subtype.startsWith('error_max_') ? 'limit' : 'failed', error };
}
