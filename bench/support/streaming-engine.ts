// An engine that streams an answer of Chat Completions in a fixed time: first content after 20 ms, then 40 chunks 5 ms
// apart, usage, [DONE]. A program of its own for the gateway's benchmark; prints its port.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const FIRST_MS = 20;
const GAP_MS = 5;
const CHUNKS = 40;
const head = { id: 'chatcmpl-bench', object: 'chat.completion.chunk', created: 1, model: 'bench' };

function event(delta: object, finish: string | null = null): string {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finish }];
  return `data: ${JSON.stringify({ ...head, choices })}\n\n`;
}

const first = Buffer.from(event({ role: 'assistant', content: '' }) + event({ content: 'FIRST' }));
const chunks = Array.from({ length: CHUNKS }, (_, index) =>
  Buffer.from(event({ content: ` token${index}` })),
);

function last(promptBytes: number): string {
  const input = Math.ceil(promptBytes / 4);
  const usage = { prompt_tokens: input, completion_tokens: CHUNKS + 1, total_tokens: input + CHUNKS + 1 };
  return `${event({}, 'stop')}data: ${JSON.stringify({ ...head, choices: [], usage })}\n\ndata: [DONE]\n\n`;
}

const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
  let bytes = 0;
  request.on('data', (chunk: Buffer) => (bytes += chunk.length));
  request.on('end', () => {
    const began = performance.now();
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
    });
    response.flushHeaders();
    let gone = false;
    response.on('close', () => (gone = true));
    let next = 0;
    // Each chunk has its own due time, so that late timers do not add up.
    const step = () => {
      if (gone) return;
      const due = Math.floor((performance.now() - began - FIRST_MS) / GAP_MS);
      while (next < CHUNKS && next < due) response.write(chunks[next++]);
      if (next === CHUNKS) return void response.end(last(bytes));
      setTimeout(step, Math.max(0, began + FIRST_MS + GAP_MS * (next + 1) - performance.now()));
    };
    setTimeout(() => {
      if (!gone) response.write(first);
      step();
    }, FIRST_MS);
  });
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 2048 }, () =>
  console.log((server.address() as AddressInfo).port),
);
