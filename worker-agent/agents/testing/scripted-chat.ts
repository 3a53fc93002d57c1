// Chat Completions as the scripted model speaks it. Used by scripted-model.ts.
import { randomUUID } from 'node:crypto';
import { SCRIPTED_USAGE, type ScriptedProtocol, textOf } from './scripted-protocol.ts';

interface ChatRequest {
  messages: { role: string; content: unknown }[];
  tools?: { function: { name: string } }[];
}

export const chat: ScriptedProtocol = {
  read(body: ChatRequest) {
    const last = body.messages.findLastIndex((message) => message.role === 'user');
    return {
      prompt: textOf(body.messages[last]?.content),
      results: body.messages
        .slice(last + 1)
        .filter((message) => message.role === 'tool')
        .map((message) => textOf(message.content)),
      tools: (body.tools ?? []).map((tool) => tool.function.name),
    };
  },

  answer(model, reply) {
    const { inputTokens, cachedTokens, outputTokens } = SCRIPTED_USAGE;
    const about = { id: `scripted-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model };
    const finish_reason = 'text' in reply ? 'stop' : 'tool_calls';
    const message = 'text' in reply ? { content: reply.text } : { tool_calls: [toolCall(reply)] };
    const usage = {
      prompt_tokens: inputTokens,
      completion_tokens: outputTokens,
      total_tokens: inputTokens + outputTokens,
      prompt_tokens_details: { cached_tokens: cachedTokens },
    };
    const chunk = (choices: unknown[], more: object = {}) => ({
      data: { ...about, object: 'chat.completion.chunk', choices, ...more },
    });
    return {
      whole: {
        ...about,
        object: 'chat.completion',
        choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason }],
        usage,
      },
      events: [
        chunk([{ index: 0, delta: { role: 'assistant', ...message }, finish_reason: null }]),
        chunk([{ index: 0, delta: {}, finish_reason }]),
        chunk([], { usage }),
        { data: '[DONE]' },
      ],
    };
  },
};

function toolCall({ tool, input }: { tool: string; input: unknown }): object {
  return {
    index: 0,
    id: `call_${randomUUID()}`,
    type: 'function',
    function: { name: tool, arguments: JSON.stringify(input) },
  };
}
