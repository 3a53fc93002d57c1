// Messages as the scripted model speaks it. Used by scripted-model.ts.
import { randomUUID } from 'node:crypto';
import { halves, SCRIPTED_USAGE, type ScriptedProtocol, textOf } from './scripted-protocol.ts';

interface Block {
  type: string;
  text?: string;
  content?: unknown;
}

interface MessagesRequest {
  messages: { role: string; content: string | Block[] }[];
  tools?: { name: string }[];
}

export const messages: ScriptedProtocol = {
  read(body: MessagesRequest) {
    const blocks = body.messages
      .filter(({ role }) => role === 'user')
      .flatMap(({ content }) => (typeof content === 'string' ? [{ type: 'text', text: content }] : content))
      .filter((block) => block.type !== 'text' || !isAside(block.text ?? ''));
    const last = blocks.findLastIndex((block) => block.type === 'text');
    return {
      prompt: blocks[last]?.text ?? '',
      results: blocks
        .slice(last + 1)
        .filter(({ type }) => type === 'tool_result')
        .map(({ content }) => textOf(content)),
      tools: (body.tools ?? []).map(({ name }) => name),
    };
  },

  answer(model, reply) {
    const { inputTokens, cachedTokens, outputTokens } = SCRIPTED_USAGE;
    const usage = {
      input_tokens: inputTokens - cachedTokens,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: cachedTokens,
      output_tokens: outputTokens,
    };
    const block =
      'text' in reply
        ? { type: 'text', text: reply.text }
        : { type: 'tool_use', id: `toolu_${randomUUID()}`, name: reply.tool, input: reply.input };
    const whole = {
      id: `msg_${randomUUID()}`,
      type: 'message',
      role: 'assistant',
      model,
      content: [block],
      stop_reason: 'text' in reply ? 'end_turn' : 'tool_use',
      stop_sequence: null,
      usage,
    };
    const { stop_reason, stop_sequence } = whole;
    const begun = { ...whole, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } };
    return {
      whole,
      events: [
        { type: 'message_start', message: begun },
        {
          type: 'content_block_start',
          index: 0,
          content_block: 'text' in reply ? { type: 'text', text: '' } : { ...block, input: {} },
        },
        ...halves('text' in reply ? reply.text : JSON.stringify(reply.input)).map((half) => ({
          type: 'content_block_delta',
          index: 0,
          delta:
            'text' in reply
              ? { type: 'text_delta', text: half }
              : { type: 'input_json_delta', partial_json: half },
        })),
        { type: 'content_block_stop', index: 0 },
        {
          type: 'message_delta',
          delta: { stop_reason, stop_sequence },
          usage: { output_tokens: outputTokens },
        },
        { type: 'message_stop' },
      ].map((data) => ({ name: data.type, data })),
    };
  },
};

/** What the agent adds to the words of its user. */
function isAside(text: string): boolean {
  return text.trim().startsWith('<system-reminder>');
}
