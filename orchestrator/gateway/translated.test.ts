// Every translation through a running gateway with the official SDK of the client's protocol, in front of an engine that
// speaks another one: the matrix of what answers can be like.
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import type { Dialogue } from '../../protocol/model.ts';
import { sendBody, sendStream } from '../models/testing/fake-engine.ts';
import { encodeEvent } from '../models/wire/sse.ts';
import { WIRES } from '../models/wire/table.ts';
import type { Reply } from '../models/wire/wire.ts';
import { gatewayRig } from './testing/rig.ts';
import type { Rig } from './testing/rig.ts';

/** What a client got, told the same way for all protocols. */
interface Got {
  text: string;
  thinking: string;
  calls: { name: string; input: unknown }[];
  stop: string;
  input: number;
  cached: number;
  output: number;
}

interface Client {
  ask(rig: Rig, stream: boolean, signal?: AbortSignal): Promise<Got>;
}

const TEXT: Reply = {
  id: 'x',
  model: 'vendor/Small',
  text: 'Hello.',
  toolCalls: [],
  tokens: { input: 1000, cached: 900, output: 10 },
};
const call = (name: string, args: string) => ({ name, arguments: args, freeform: false });
const ONE = { ...TEXT, text: '', toolCalls: [call('edit', '{"a":1}')] };
const TWO = { ...TEXT, toolCalls: [call('edit', '{"a":1}'), call('read', '{"b":[2]}')] };

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

const CLIENTS: Record<Dialogue, Client> = {
  chat: {
    async ask(rig, stream, signal) {
      const client = new OpenAI({ baseURL: `${rig.gateway.url}/v1`, apiKey: rig.key, maxRetries: 0 });
      const options = signal === undefined ? {} : { signal };
      const body = {
        model: 'm',
        messages: [{ role: 'user' as const, content: 'hello' }],
        tools: ['edit', 'read'].map((name) => ({
          type: 'function' as const,
          function: { name, parameters: { type: 'object' } },
        })),
      };
      const answer = stream
        ? await client.chat.completions.stream(body, options).finalChatCompletion()
        : await client.chat.completions.create(body, options);
      const [choice] = answer.choices;
      const message = choice?.message as OpenAI.ChatCompletionMessage & { reasoning_content?: string };
      return {
        text: message.content ?? '',
        thinking: message.reasoning_content ?? '',
        calls: (message.tool_calls ?? []).map((made) => {
          assert.equal(made.type, 'function');
          return { name: made.function.name, input: parsed(made.function.arguments) };
        }),
        stop: choice?.finish_reason ?? '',
        input: answer.usage?.prompt_tokens ?? -1,
        cached: answer.usage?.prompt_tokens_details?.cached_tokens ?? -1,
        output: answer.usage?.completion_tokens ?? -1,
      };
    },
  },
  messages: {
    async ask(rig, stream, signal) {
      const client = new Anthropic({ baseURL: rig.gateway.url, apiKey: rig.key, maxRetries: 0 });
      const options = signal === undefined ? {} : { signal };
      const body = {
        model: 'm',
        max_tokens: 100,
        messages: [{ role: 'user' as const, content: 'hello' }],
        tools: ['edit', 'read'].map((name) => ({ name, input_schema: { type: 'object' as const } })),
      };
      const answer = stream
        ? await client.messages.stream(body, options).finalMessage()
        : await client.messages.create(body, options);
      const of = <T extends string>(type: T) =>
        answer.content.filter(
          (block): block is Extract<Anthropic.ContentBlock, { type: T }> => block.type === type,
        );
      const { input_tokens: fresh, cache_read_input_tokens: cached, output_tokens: output } = answer.usage;
      return {
        text: of('text')
          .map((block) => block.text)
          .join(''),
        thinking: of('thinking')
          .map((block) => block.thinking)
          .join(''),
        calls: of('tool_use').map(({ name, input }) => ({ name, input })),
        stop: answer.stop_reason ?? '',
        input: fresh + (cached ?? 0),
        cached: cached ?? -1,
        output,
      };
    },
  },
  responses: {
    async ask(rig, stream, signal) {
      const client = new OpenAI({ baseURL: `${rig.gateway.url}/v1`, apiKey: rig.key, maxRetries: 0 });
      const options = signal === undefined ? {} : { signal };
      const body = {
        model: 'm',
        input: 'hello',
        tools: ['edit', 'read'].map((name) => ({
          type: 'function' as const,
          name,
          parameters: { type: 'object' },
          strict: false,
        })),
      };
      const answer = stream
        ? await client.responses.stream(body, options).finalResponse()
        : await client.responses.create(body, options);
      if (answer.status === 'failed') throw new Error(answer.error?.message);
      const items: OpenAI.Responses.ResponseOutputItem[] = answer.output;
      const calls = items.filter((item) => item.type === 'function_call');
      const reasoning = items.filter((item) => item.type === 'reasoning');
      return {
        text: answer.output_text,
        thinking: reasoning.flatMap((item) => item.content?.map(({ text }) => text) ?? []).join(''),
        calls: calls.map((item) => ({ name: item.name, input: parsed(item.arguments) })),
        stop: answer.status ?? '',
        input: answer.usage?.input_tokens ?? -1,
        cached: answer.usage?.input_tokens_details.cached_tokens ?? -1,
        output: answer.usage?.output_tokens ?? -1,
      };
    },
  },
};

const STOPS: Record<Dialogue, { text: string; call: string; cut: string }> = {
  chat: { text: 'stop', call: 'tool_calls', cut: 'length' },
  messages: { text: 'end_turn', call: 'tool_use', cut: 'max_tokens' },
  responses: { text: 'completed', call: 'completed', cut: 'incomplete' },
};

const WAYS: [Dialogue, 'chat' | 'messages'][] = [
  ['messages', 'chat'],
  ['chat', 'messages'],
  ['responses', 'chat'],
  ['responses', 'messages'],
];

const rigFor = (protocol: Dialogue) =>
  gatewayRig({
    engines: (url) => [
      {
        kind: 'upstream',
        name: 'far',
        url,
        protocols: [protocol],
        queue: 10,
        queueSeconds: 10,
        models: [{ name: 'm', upstreamModel: 'vendor/M' }],
      },
    ],
  });

for (const [near, far] of WAYS) {
  const client = CLIENTS[near];
  const wire = WIRES[far];
  const name = `${near} over ${far}`;
  const events = (reply: Reply) => wire.events(reply).map(encodeEvent).join('');
  /** Answers streamed or whole, as the engine is asked; `edit` changes the text on its way. */
  const answerWith = (rig: Rig, reply: Reply, edit: (text: string) => string = (text) => text) =>
    rig.engine.answers((response, seen) => {
      if ((JSON.parse(seen.body) as { stream?: boolean }).stream === true)
        return sendStream(response, edit(events(reply)));
      sendBody(response, 200, JSON.parse(edit(JSON.stringify(wire.whole(reply)))) as object);
    });

  test(`${name}: text, one call and parallel calls come whole, streamed and not, and are recorded`, async () => {
    await using rig = await rigFor(far);
    for (const stream of [true, false]) {
      for (const reply of [TEXT, ONE, TWO]) {
        answerWith(rig, reply);
        assert.deepEqual(await client.ask(rig, stream), {
          text: reply.text,
          thinking: '',
          calls: reply.toolCalls.map((made) => ({ name: made.name, input: parsed(made.arguments) })),
          stop: reply.toolCalls.length > 0 ? STOPS[near].call : STOPS[near].text,
          input: 1000,
          cached: 900,
          output: 10,
        });
      }
    }
    for (const seen of rig.engine.seen) {
      assert.equal(seen.path, `/v1${wire.path}`);
      assert.equal((JSON.parse(seen.body) as { model: string }).model, 'vendor/M');
    }
    for (const made of await rig.calls())
      assert.deepEqual(
        [
          made.protocol,
          made.input_tokens,
          made.cached_tokens,
          made.output_tokens,
          made.usage_source,
          made.outcome,
        ],
        [near, 1000, 900, 10, 'upstream', 'ok'],
      );
  });

  test(`${name}: an answer of thinking alone is one`, async () => {
    await using rig = await rigFor(far);
    answerWith(rig, { ...TEXT, text: 'deep' }, (text) =>
      far === 'chat'
        ? text.replaceAll('"content":"deep"', '"reasoning_content":"deep"')
        : text
            .replaceAll('"type":"text_delta","text":', '"type":"thinking_delta","thinking":')
            .replaceAll('"type":"text","text":', '"type":"thinking","thinking":'),
    );
    for (const stream of [true, false]) {
      const got = await client.ask(rig, stream);
      assert.equal(got.text, '');
      if (!(near === 'chat' && stream)) assert.equal(got.thinking, 'deep'); // that SDK drops what it does not know
      assert.equal(got.stop, STOPS[near].text);
    }
  });

  test(`${name}: an answer that was cut at its bound says so`, async () => {
    await using rig = await rigFor(far);
    answerWith(rig, TEXT, (text) =>
      text
        .replaceAll('"finish_reason":"stop"', '"finish_reason":"length"')
        .replaceAll('"end_turn"', '"max_tokens"'),
    );
    for (const stream of [false, near !== 'chat'])
      assert.equal((await client.ask(rig, stream)).stop, STOPS[near].cut);
  });

  test(`${name}: arguments that are no JSON raise nothing`, async () => {
    await using rig = await rigFor(far);
    answerWith(rig, ONE, (text) => text.replaceAll(/\{\\"a\\":1\}/g, '{\\"a\\":'));
    for (const stream of [true, false]) {
      const [made] = (await client.ask(rig, stream)).calls;
      assert.equal(made?.name, 'edit');
    }
  });

  test(`${name}: errors of the engine keep their status and words, in the client's shape`, async () => {
    await using rig = await rigFor(far);
    for (const status of [400, 429, 500, 503]) {
      rig.engine.answers((response) =>
        sendBody(
          response,
          status,
          wire.refusal({ status, code: 'x', message: `said ${status}`, requestId: 'r' }),
        ),
      );
      for (const stream of [true, false])
        await assert.rejects(
          client.ask(rig, stream),
          (error: { status: number; message: string }) =>
            error.status === status && error.message.includes(`said ${status}`),
        );
    }
  });

  test(`${name}: an error inside the stream, an engine that breaks off and one that stops early are told`, async () => {
    await using rig = await rigFor(far);
    const refusal = { status: 500, code: 'x', message: 'overloaded', requestId: 'r' };
    const cut = (response: ServerResponse, end: () => void) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(events(TEXT).slice(0, events(TEXT).indexOf('Hello') + 120), end);
    };
    const endings: [(response: ServerResponse) => void, RegExp][] = [
      [(response) => sendStream(response, encodeEvent(wire.refusalEvent(refusal))), /overloaded/],
      [(response) => cut(response, () => response.destroy()), /broke off/],
      [(response) => cut(response, () => response.end('data: {"cut\n\n')), /ended before/],
    ];
    for (const [ending, words] of endings) {
      rig.engine.answers(ending);
      await assert.rejects(client.ask(rig, true), words);
      assert.equal((await rig.calls()).at(-1)?.outcome, 'error');
    }
  });

  test(`${name}: without usage from the engine the answer is counted`, async () => {
    await using rig = await rigFor(far);
    answerWith(rig, { ...TEXT, text: 'x'.repeat(400) }, (text) =>
      text.replaceAll(/"(usage|input_tokens|output_tokens)":/g, '"left_out":'),
    );
    assert.equal((await client.ask(rig, true)).text.length, 400);
    const [made] = await rig.calls();
    assert.deepEqual([made?.usage_source, made?.output_tokens], ['counted', 100]);
  });

  test(`${name}: a client that goes stops the engine`, async () => {
    await using rig = await rigFor(far);
    const gone = new AbortController();
    rig.engine.answers((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(events(TEXT).slice(0, events(TEXT).indexOf('Hello') + 60), () => gone.abort());
    });
    await assert.rejects(client.ask(rig, true, gone.signal));
    await rig.engine.seen[0]?.closed;
  });
}
