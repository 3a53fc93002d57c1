// The client of the gateway's benchmark: so many streams at a time over kept connections, each prompt a new one.
import { Agent, request as ask } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { cpuMs } from './processes.ts';

export interface Load {
  url: string;
  model: string;
  /** The headers of one stream's requests. */
  headers(stream: number): Record<string, string>;
  streams: number;
  promptBytes: number;
  seconds: number;
  /** Processes whose time is taken meanwhile. */
  pids: readonly number[];
}

export interface Measured {
  /** To the first content and to the end, in milliseconds, of each request that ended after the warm-up. */
  first: number[];
  total: number[];
  streamsPerSecond: number;
  /** Processor time a stream of each of the processes, in milliseconds. */
  cpu: number[];
  errors: Record<string, number>;
}

const WARM_MS = 1_500;
const ONE_STREAM_MS = 225;
const PATIENCE_MS = 60_000;
const WORDS = 'the gateway reads a prompt and forwards it to a model which answers with tokens ';
const NUMBER = '#000000000#';

/** Keeps the streams going for the time of the warm-up and the measured seconds, and waits for the last to end. */
export async function loadStreams({
  url,
  model,
  headers,
  streams,
  promptBytes,
  seconds,
  pids,
}: Load): Promise<Measured> {
  const agent = new Agent({ keepAlive: true, maxSockets: streams });
  const from = performance.now() + WARM_MS;
  const until = from + seconds * 1000;
  const measured: Measured = { first: [], total: [], streamsPerSecond: 0, cpu: [], errors: {} };
  let ended = 0;
  let failed = 0;
  const cpu = (async () => {
    await delay(WARM_MS);
    const before = pids.map(cpuMs);
    const endedBefore = ended + failed;
    const began = performance.now();
    await delay(seconds * 1000);
    const count = ended + failed - endedBefore;
    measured.cpu = pids.map((pid, index) => (cpuMs(pid) - before[index]!) / Math.max(1, count));
    measured.streamsPerSecond = (count * 1000) / (performance.now() - began);
  })();
  const one = async (stream: number) => {
    await delay((stream * ONE_STREAM_MS) / streams); // not all at the same moment
    const prompt = promptOf(model, promptBytes);
    while (performance.now() < until) {
      const began = performance.now();
      const wrong = await send({ url, agent, headers: headers(stream), body: prompt(), began }).then(
        ({ first, total }) => {
          ended += 1;
          if (performance.now() < from) return;
          measured.first.push(first);
          measured.total.push(total);
        },
        (error: Error) => error.message,
      );
      if (wrong === undefined) continue;
      failed += 1;
      measured.errors[wrong] = (measured.errors[wrong] ?? 0) + 1;
      await delay(50);
    }
  };
  await Promise.all([cpu, ...Array.from({ length: streams }, (_, stream) => one(stream))]);
  agent.destroy();
  return measured;
}

let sent = 0;

// No request is like another, as with agents; only the number in it is written anew.
function promptOf(model: string, bytes: number): () => Buffer {
  const text = NUMBER + WORDS.repeat(Math.ceil(bytes / WORDS.length)).slice(0, bytes - NUMBER.length);
  const messages = [
    { role: 'system', content: 'You are a test.' },
    { role: 'user', content: text },
  ];
  const options = { stream: true, stream_options: { include_usage: true } };
  const body = Buffer.from(JSON.stringify({ model, ...options, messages }));
  const at = body.indexOf(NUMBER) + 1;
  return () => {
    body.write(String(sent++).padStart(NUMBER.length - 2, '0'), at, 'latin1');
    return body;
  };
}

interface Sent {
  url: string;
  agent: Agent;
  headers: Record<string, string>;
  body: Buffer;
  began: number;
}

async function send({ url, agent, headers, body, began }: Sent): Promise<{ first: number; total: number }> {
  return await new Promise((resolve, reject) => {
    const types = { 'content-type': 'application/json', 'content-length': body.length };
    const request = ask(url, { method: 'POST', agent, headers: { ...types, ...headers } }, (answer) => {
      let first = 0;
      let tail = '';
      answer.on('data', (data: Buffer) => {
        const text = data.toString('latin1');
        if (first === 0 && (tail + text).includes('FIRST')) first = performance.now() - began;
        tail = text.length > 600 ? text : (tail + text).slice(-600);
      });
      answer.on('end', () => {
        if (answer.statusCode !== 200) reject(new Error(`HTTP ${answer.statusCode}`));
        else if (first === 0 || !tail.includes('[DONE]')) reject(new Error('a stream that is not whole'));
        else if (!tail.includes('"usage"')) reject(new Error('no usage'));
        else resolve({ first, total: performance.now() - began });
      });
      answer.on('error', reject);
    });
    request.setTimeout(PATIENCE_MS, () => request.destroy(new Error('time-out')));
    request.on('error', (error: NodeJS.ErrnoException) => reject(new Error(error.code ?? error.message)));
    request.end(body);
  });
}
