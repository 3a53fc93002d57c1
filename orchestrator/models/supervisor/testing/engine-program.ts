#!/usr/bin/env node
// A program in place of `vllm` for tests: as a real process it listens, answers as vLLM does, takes memory of GPUs that are
// files, runs out of it, is slow, hangs and ends, as `.behaviour.json` in its weights says. Given as models.local.vllm.
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** How it behaves; read with each request, so that a test may change it. */
export interface Behaviour {
  /** From its start until it listens. */
  loadMs?: number;
  /** It finds too little memory so many times, whatever is there. */
  outOfMemory?: number;
  /** It ends while it loads. */
  ends?: boolean;
  tokens?: number;
  tokenMs?: number;
  /** It takes requests, and brings no token. */
  stuck?: boolean;
}

const ASLEEP_MIB = 1_000;

const [, , , weights = '', ...words] = process.argv;
const option = (name: string) => words[words.indexOf(name) + 1] ?? '';
const model = option('--served-model-name');
const behaviour = (): Behaviour => {
  const file = path.join(weights, '.behaviour.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Behaviour) : {};
};

let asleep = false;
let running = 0;
let generated = 0;
let prompts = 0;

takeMemory();
if (behaviour().ends === true) fail('ValueError: Model architectures [UnheardOf] are not supported');
await delay(behaviour().loadMs ?? 0);
createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
  request.on('end', () => void answer(request.url ?? '', body, response));
}).listen(Number(option('--port')), '127.0.0.1');

async function answer(url: string, body: string, response: ServerResponse): Promise<void> {
  const [route] = url.split('?');
  if (route === '/health') return void response.end();
  if (route === '/is_sleeping') return json(response, { is_sleeping: asleep });
  if (route === '/metrics') return void response.end(metrics());
  if (route === '/sleep' || route === '/wake_up') {
    asleep = route === '/sleep';
    takeMemory();
    return json(response, {});
  }
  if (route !== '/v1/completions' && route !== '/v1/chat/completions')
    return void response.writeHead(404).end();
  running++;
  prompts += 5;
  try {
    await generate(response, JSON.parse(body) as Asked, route.includes('chat'));
  } finally {
    running--;
  }
}

interface Asked {
  stream?: boolean;
  max_tokens?: number;
}

async function generate(
  response: ServerResponse,
  { stream = false, max_tokens: most }: Asked,
  chat: boolean,
) {
  const { tokens = 5, tokenMs = 0, stuck = false } = behaviour();
  const count = Math.min(tokens, most ?? tokens);
  const usage = { prompt_tokens: 5, completion_tokens: count, total_tokens: 5 + count };
  const head = { id: 'c', created: 1, model, object: chat ? 'chat.completion' : 'text_completion' };
  const choice = (content: string) =>
    chat ? { message: { role: 'assistant', content } } : { text: content };
  if (stream) response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  for (let at = 0; at < count && !response.destroyed; at++) {
    // The one token that its health is told by still comes.
    while (stuck && most !== 1 && !response.destroyed) await delay(20);
    await delay(tokenMs);
    generated++;
    if (!stream) continue;
    const delta = {
      index: 0,
      delta: { content: `${model} ` },
      finish_reason: at === count - 1 ? 'stop' : null,
    };
    response.write(
      `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [delta] })}\n\n`,
    );
  }
  if (!stream)
    return json(response, {
      ...head,
      choices: [{ index: 0, finish_reason: 'stop', ...choice(`${model} `.repeat(count)) }],
      usage,
    });
  response.write(`data: ${JSON.stringify({ ...head, choices: [], usage })}\n\n`);
  response.end('data: [DONE]\n\n');
}

function metrics(): string {
  const figures = { num_requests_running: running, num_requests_waiting: 0, kv_cache_usage_perc: 0 };
  const totals = { prompt_tokens_total: prompts, generation_tokens_total: generated };
  return Object.entries({ ...figures, ...totals })
    .map(([name, value]) => `vllm:${name}{engine="0",model_name="${model}"} ${value}\n`)
    .join('');
}

function json(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Takes its memory of the cards in $STAND_IN_GPUS, a directory with a file a process; more than there is is told and ends it. */
function takeMemory(): void {
  const directory = process.env.STAND_IN_GPUS ?? '';
  const failures = path.join(directory, `${model}.failures`);
  const failed = existsSync(failures) ? Number(readFileSync(failures, 'utf8')) : 0;
  if (failed < (behaviour().outOfMemory ?? 0)) {
    writeFileSync(failures, String(failed + 1));
    fail('torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.');
  }
  const total = Number(readFileSync(path.join(directory, 'total'), 'utf8'));
  const gpus = (process.env.CUDA_VISIBLE_DEVICES ?? '').split(',').map(Number);
  const mib = asleep ? ASLEEP_MIB : Math.floor(Number(option('--gpu-memory-utilization')) * total);
  writeFileSync(path.join(directory, `${process.pid}.claim`), JSON.stringify({ model, gpus, mib }));
  for (const gpu of gpus) {
    const claims = claimsOf(directory).filter((claim) => claim.gpus.includes(gpu));
    if (claims.reduce((sum, claim) => sum + claim.mib, 0) <= total) continue;
    appendFileSync(path.join(directory, 'overcommitted'), `${JSON.stringify({ gpu, claims })}\n`);
    fail('torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.');
  }
}

interface Claim {
  model: string;
  gpus: number[];
  mib: number;
}

function claimsOf(directory: string): Claim[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.claim'))
    .flatMap((name) => {
      const file = path.join(directory, name);
      if (runs(path.basename(name, '.claim'))) return [JSON.parse(readFileSync(file, 'utf8')) as Claim];
      rmSync(file, { force: true });
      return [];
    });
}

function runs(pid: string): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

function fail(words: string): never {
  process.stderr.write(`ERROR ${words}\n`);
  process.exit(1);
}
