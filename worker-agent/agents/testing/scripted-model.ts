// A scripted model for the agents' tests: a real HTTP server that speaks streamed Chat Completions and answers
// as a function of the conversation says. Used by conformance.ts and the tests beside it.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the model answers: text, one tool call, an HTTP error, or nothing for ever. */
export type Reply =
  | { text: string }
  | { tool: string; input: Record<string, unknown> }
  | { status: number; body: unknown }
  | { hang: true };

/** What a reply is chosen by. `results` holds the texts of the tool results after the last prompt. */
export interface Conversation {
  prompt: string;
  results: string[];
  tools: string[];
}

export interface ScriptedModel {
  /** Base address, without /v1. */
  url: string;
  /** Conversations that were asked about, in order. */
  asked: Conversation[];
  /** Stands for {{cwd}} in the inputs of tool calls. */
  cwd: string;
  /** Resolves when the model has been asked `count` times in all. */
  askedTimes(count: number): Promise<void>;
  close(): Promise<void>;
}

/** Token counts of every answer. */
export const SCRIPTED_USAGE = { inputTokens: 1000, cachedTokens: 200, outputTokens: 50 };

interface ChatRequest {
  model: string;
  stream?: boolean;
  messages: { role: string; content: unknown }[];
  tools?: { function: { name: string } }[];
}

/** Starts a model on a free port of 127.0.0.1. */
export async function startScriptedModel(
  script: (conversation: Conversation) => Reply,
): Promise<ScriptedModel> {
  const asked: Conversation[] = [];
  const model: ScriptedModel = { url: '', asked, cwd: '', askedTimes, close };
  const waiting: { count: number; resolve: () => void }[] = [];
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (!request.url?.endsWith('/chat/completions'))
      return json(response, 404, { error: { message: 'not scripted' } });
    const body = JSON.parse(Buffer.concat(chunks).toString()) as ChatRequest;
    const conversation = readConversation(body);
    asked.push(conversation);
    for (const waiter of waiting) if (asked.length >= waiter.count) waiter.resolve();
    const reply = script(conversation);
    if ('hang' in reply) return;
    if ('status' in reply) return json(response, reply.status, reply.body);
    complete(
      response,
      body,
      'tool' in reply ? { ...reply, input: inDirectory(reply.input, model.cwd) } : reply,
    );
  }

  function askedTimes(count: number): Promise<void> {
    return new Promise((resolve) => (asked.length >= count ? resolve() : waiting.push({ count, resolve })));
  }

  function close(): Promise<void> {
    return new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  model.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return model;
}

function inDirectory(input: Record<string, unknown>, cwd: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(input).map(([key, value]) => [
      key,
      typeof value === 'string' ? value.replaceAll('{{cwd}}', cwd) : value,
    ]),
  );
}

function readConversation(body: ChatRequest): Conversation {
  const last = body.messages.findLastIndex((message) => message.role === 'user');
  return {
    prompt: textOf(body.messages[last]?.content),
    results: body.messages
      .slice(last + 1)
      .filter((message) => message.role === 'tool')
      .map((message) => textOf(message.content)),
    tools: (body.tools ?? []).map((tool) => tool.function.name),
  };
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: { text?: string }) => part.text ?? '').join('');
}

function complete(
  response: ServerResponse,
  body: ChatRequest,
  reply: { text: string } | { tool: string; input: unknown },
): void {
  const id = `scripted-${Date.now()}`;
  const finish = 'text' in reply ? 'stop' : 'tool_calls';
  const message =
    'text' in reply
      ? { content: reply.text }
      : {
          tool_calls: [
            {
              index: 0,
              id: `call-${id}`,
              type: 'function',
              function: { name: reply.tool, arguments: JSON.stringify(reply.input) },
            },
          ],
        };
  const usage = {
    prompt_tokens: SCRIPTED_USAGE.inputTokens,
    completion_tokens: SCRIPTED_USAGE.outputTokens,
    total_tokens: SCRIPTED_USAGE.inputTokens + SCRIPTED_USAGE.outputTokens,
    prompt_tokens_details: { cached_tokens: SCRIPTED_USAGE.cachedTokens },
  };
  const about = { id, created: Math.floor(Date.now() / 1000), model: body.model };
  if (!body.stream) {
    return json(response, 200, {
      ...about,
      object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }],
      usage,
    });
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (choices: unknown[], more: object = {}) =>
    response.write(
      `data: ${JSON.stringify({ ...about, object: 'chat.completion.chunk', choices, ...more })}\n\n`,
    );
  send([{ index: 0, delta: { role: 'assistant', ...message }, finish_reason: null }]);
  send([{ index: 0, delta: {}, finish_reason: finish }]);
  send([], { usage });
  response.end('data: [DONE]\n\n');
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
