// A scripted model for the agents' tests: a real HTTP server that speaks Chat Completions, Messages and Responses, streamed or
// not, and answers as a function of the conversation says. Used by conformance.ts and the tests beside it.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chat } from './scripted-chat.ts';
import { messages } from './scripted-messages.ts';
import type { Conversation, Said, ScriptedProtocol } from './scripted-protocol.ts';
import { responses } from './scripted-responses.ts';

/** What the model answers: text, one tool call, an HTTP error, or nothing for ever. */
export type Reply = Said | { status: number; body: unknown } | { hang: true };

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

const PROTOCOLS: Record<string, ScriptedProtocol> = {
  '/v1/chat/completions': chat,
  '/v1/messages': messages,
  '/v1/responses': responses,
};

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
    const protocol = PROTOCOLS[request.url?.split('?')[0] ?? ''];
    if (protocol === undefined || request.method !== 'POST')
      return json(response, 404, { error: { message: 'not scripted' } });
    const text = Buffer.concat(chunks).toString();
    const body = JSON.parse(text) as { model: string; stream?: boolean };
    const conversation = { ...protocol.read(body as never), body: text };
    asked.push(conversation);
    for (const waiter of waiting) if (asked.length >= waiter.count) waiter.resolve();
    const reply = script(conversation);
    if ('hang' in reply) return;
    if ('status' in reply) return json(response, reply.status, reply.body);
    const said = 'tool' in reply ? { ...reply, input: inDirectory(reply.input, model.cwd) } : reply;
    const { whole, events } = protocol.answer(body.model, said);
    if (!body.stream) return json(response, 200, whole);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const { name, data } of events) {
      const line = typeof data === 'string' ? data : JSON.stringify(data);
      response.write(`${name === undefined ? '' : `event: ${name}\n`}data: ${line}\n\n`);
    }
    response.end();
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

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
