// OpenAI Chat Completions on the wire. Spoken by Qwen Code, OpenCode, Aider and most engines.
import { contentText, count, object, objects, string } from './json.ts';
import type { JsonObject } from './json.ts';
import { openaiRefusal } from './openai-error.ts';
import { collectCall, collectTokens } from './wire.ts';
import type { Collected, Conversation, Reply, Tokens, Wire } from './wire.ts';

export const chat: Wire = {
  protocol: 'chat',
  path: '/chat/completions',
  read,
  whole: (reply) => ({
    ...head(reply, 'chat.completion'),
    choices: [
      {
        index: 0,
        message: { role: 'assistant', ...message(reply) },
        finish_reason: finish(reply),
        logprobs: null,
      },
    ],
    usage: usageOf(reply.tokens),
  }),
  events: (reply) => {
    const chunk = (choices: object[], extra: object = {}) => ({
      data: JSON.stringify({ ...head(reply, 'chat.completion.chunk'), choices, ...extra }),
    });
    const delta = (content: object, reason: string | null = null) => [
      { index: 0, delta: content, finish_reason: reason },
    ];
    return [
      chunk(delta({ role: 'assistant', content: reply.text })),
      ...callsOf(reply).map((call, index) => chunk(delta({ tool_calls: [{ index, ...call }] }))),
      chunk(delta({}, finish(reply))),
      chunk([], { usage: usageOf(reply.tokens) }),
      { data: '[DONE]' },
    ];
  },
  collect(collected, payload) {
    for (const choice of objects(payload.choices)) {
      addMessage(collected, object(choice.delta));
      // The usage is still to come, then [DONE].
      if (string(choice.finish_reason) !== '') collected.complete = true;
    }
    addChatUsage(collected, payload);
  },
  collectWhole(collected, body) {
    for (const choice of objects(body.choices)) addMessage(collected, object(choice.message));
    addChatUsage(collected, body);
    collected.complete = true;
  },
  refusal: openaiRefusal,
  refusalEvent: (refusal) => ({ data: JSON.stringify(openaiRefusal(refusal)) }),
};

function read(body: JsonObject): Conversation {
  const messages = objects(body.messages);
  const answered = messages.findIndex((item) => item.role === 'assistant');
  const before = answered < 0 ? messages : messages.slice(0, answered);
  const textOf = (items: JsonObject[]) => items.map((item) => contentText(item.content)).join('\n');
  return {
    opening: textOf(before.filter((item) => item.role === 'user')),
    setting: textOf(messages.filter((item) => item.role === 'system' || item.role === 'developer')),
    turn: messages.filter((item) => item.role === 'assistant').length,
    tools: objects(body.tools).map((tool) => ({ name: string(object(tool.function).name), freeform: false })),
  };
}

const head = (reply: Reply, kind: string) => ({
  id: `chatcmpl-${reply.id}`,
  object: kind,
  created: 1,
  model: reply.model,
});

const finish = (reply: Reply) => (reply.toolCalls.length > 0 ? 'tool_calls' : 'stop');

const callsOf = (reply: Reply) =>
  reply.toolCalls.map((call, index) => ({
    id: `call_${reply.id}_${index}`,
    type: 'function',
    function: { name: call.name, arguments: call.arguments },
  }));

function message(reply: Reply): object {
  const calls = callsOf(reply);
  return { content: reply.text || null, ...(calls.length > 0 ? { tool_calls: calls } : {}) };
}

const usageOf = ({ input, cached, output }: Tokens) => ({
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: input + output,
  prompt_tokens_details: { cached_tokens: cached },
});

function addMessage(collected: Collected, part: JsonObject): void {
  collected.text += string(part.content);
  collected.reasoningChars += string(part.reasoning_content).length || string(part.reasoning).length;
  for (const [position, call] of objects(part.tool_calls).entries()) {
    const called = object(call.function);
    collectCall(collected, count(call.index) ?? position, string(called.name), string(called.arguments));
  }
}

/** Adds usage and error as OpenAI's older protocols give them. */
export function addChatUsage(collected: Collected, payload: JsonObject): void {
  const usage = object(payload.usage);
  const cached = count(object(usage.prompt_tokens_details).cached_tokens);
  collectTokens(collected, {
    input: count(usage.prompt_tokens),
    cached,
    output: count(usage.completion_tokens),
  });
  collected.reasoningTokens =
    count(object(usage.completion_tokens_details).reasoning_tokens) ?? collected.reasoningTokens;
  if (payload.error !== undefined && payload.error !== null) {
    collected.error = string(object(payload.error).message) || JSON.stringify(payload.error);
  }
}
