// Responses as the scripted model speaks it. Used by scripted-model.ts.
import { randomUUID } from 'node:crypto';
import { halves, SCRIPTED_USAGE, type ScriptedProtocol, textOf } from './scripted-protocol.ts';

interface Item {
  type?: string;
  role?: string;
  content?: unknown;
  output?: unknown;
}

interface ResponsesRequest {
  input: string | Item[];
  tools?: { type: string; name?: string }[];
}

export const responses: ScriptedProtocol = {
  read(body: ResponsesRequest) {
    const items = typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : body.input;
    const last = items.findLastIndex((item) => item.role === 'user' && !isAside(textOf(item.content)));
    return {
      prompt: textOf(items[last]?.content),
      results: items
        .slice(last + 1)
        .filter((item) => 'output' in item)
        .map(({ output }) => textOf(output)),
      tools: (body.tools ?? []).map(({ name, type }) => name ?? type),
    };
  },

  answer(model, reply) {
    const { inputTokens, cachedTokens, outputTokens } = SCRIPTED_USAGE;
    const id = randomUUID();
    const text = 'text' in reply ? reply.text : JSON.stringify(reply.input);
    const item =
      'text' in reply
        ? {
            type: 'message',
            id: `msg_${id}`,
            role: 'assistant',
            status: 'completed',
            content: [{ type: 'output_text', text, annotations: [] }],
          }
        : {
            type: 'function_call',
            id: `fc_${id}`,
            call_id: `call_${id}`,
            name: reply.tool,
            arguments: text,
            status: 'completed',
          };
    const whole = {
      id: `resp_${id}`,
      object: 'response',
      created_at: Math.floor(Date.now() / 1000),
      status: 'completed',
      model,
      output: [item],
      error: null,
      incomplete_details: null,
      usage: {
        input_tokens: inputTokens,
        input_tokens_details: { cached_tokens: cachedTokens },
        output_tokens: outputTokens,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: inputTokens + outputTokens,
      },
    };
    const at = { item_id: item.id, output_index: 0 };
    const empty = 'text' in reply ? { content: [] } : { arguments: '' };
    const delta =
      'text' in reply
        ? { type: 'response.output_text.delta', content_index: 0 }
        : { type: 'response.function_call_arguments.delta' };
    return {
      whole,
      events: [
        {
          type: 'response.created',
          response: { ...whole, status: 'in_progress', output: [], usage: null },
        },
        {
          type: 'response.output_item.added',
          output_index: 0,
          item: { ...item, ...empty, status: 'in_progress' },
        },
        ...halves(text).map((half) => ({ ...delta, ...at, delta: half })),
        { type: 'response.output_item.done', output_index: 0, item },
        { type: 'response.completed', response: whole },
      ].map((data, sequence_number) => ({ name: data.type, data: { ...data, sequence_number } })),
    };
  },
};

/** What the agent adds to the words of its user, as `<environment_context>`. */
function isAside(text: string): boolean {
  return text.startsWith('<');
}
