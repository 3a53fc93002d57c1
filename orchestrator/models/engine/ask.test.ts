import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { fakeEngine } from '../testing/fake-engine.ts';
import type { FakeEngine } from '../testing/fake-engine.ts';
import { ask } from './ask.ts';

async function asked(
  far: FakeEngine,
  options: { signal?: AbortSignal; wholeMs?: number; key?: string } = {},
) {
  const { signal = new AbortController().signal, wholeMs = 60_000, key = 'k' } = options;
  const pool = new Pool(far.url);
  const headers = { authorization: key };
  const answer = ask(pool, { method: 'POST', path: '/', headers, body: 'x' }, { signal, wholeMs });
  return { pool, answer, [Symbol.asyncDispose]: async () => await pool.destroy() };
}

async function text(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('an answer arrives as it was sent, and its connection is used again', async () => {
  await using far = await fakeEngine();
  far.answers((response) => {
    response.writeHead(201, { 'x-a': 'b' });
    for (let i = 0; i < 1000; i++) response.write(`${i},`);
    response.end('end');
  });
  await using first = await asked(far);
  const { status, headers, body } = await first.answer;
  const sent = `${Array.from({ length: 1000 }, (_, i) => `${i},`).join('')}end`;
  assert.deepEqual([status, headers['x-a'], await text(body)], [201, 'b', sent]);
  assert.equal(first.pool.stats.connected, 1);
});

test('what is left half-read ends at the engine; so does what nobody waits for any more', async () => {
  await using far = await fakeEngine();
  far.answers((response) => void response.writeHead(200).write('a'));
  await using left = await asked(far);
  for await (const _ of (await left.answer).body) break;
  await far.seen[0]!.closed;
  const gone = new AbortController();
  await using aborted = await asked(far, { signal: gone.signal });
  const { body } = await aborted.answer;
  gone.abort(new Error('the client has gone'));
  await assert.rejects(text(body), /client has gone/);
  await far.seen[1]!.closed;
  const before = AbortSignal.abort(new Error('gone before'));
  await using never = await asked(far, { signal: before });
  await assert.rejects(never.answer, /gone before/);
  assert.equal(far.seen.length, 2);
});

test('an answer that breaks off fails after what had come; one without end is cut', async () => {
  await using far = await fakeEngine();
  far.answers((response) => void response.writeHead(200).write('half', () => response.destroy()));
  await using broken = await asked(far);
  const chunks: string[] = [];
  await assert.rejects(async () => {
    for await (const chunk of (await broken.answer).body) chunks.push(Buffer.from(chunk).toString());
  });
  assert.deepEqual(chunks, ['half']);
  far.answers((response) => void response.writeHead(200).write('a'));
  await using endless = await asked(far, { wholeMs: 50 });
  await assert.rejects(text((await endless.answer).body), /no end after/);
  await far.seen.at(-1)!.closed;
});

test('the first pieces are read as they come; those that follow soon after each other are read together', async () => {
  await using far = await fakeEngine();
  let send = (_: string) => {};
  far.answers((response) => {
    response.writeHead(200).flushHeaders();
    send = (piece) => (piece === '' ? void response.end() : void response.write(piece));
  });
  await using streamed = await asked(far);
  const read = (await streamed.answer).body[Symbol.asyncIterator]();
  const next = async () => Buffer.from((await read.next()).value ?? []).toString();
  for (const piece of ['a', 'b', 'c']) {
    send(piece);
    assert.equal(await next(), piece);
  }
  for (const piece of ['d', 'e', 'f', '']) send(piece);
  assert.deepEqual([await next(), (await read.next()).done], ['def', true]);
});

test('a request that cannot be sent is refused', async () => {
  await using far = await fakeEngine();
  await using wrong = await asked(far, { key: 'a\nb' });
  await assert.rejects(wrong.answer, /invalid authorization header/i);
});

test('an engine waits for a reader that is behind', async () => {
  await using far = await fakeEngine();
  let sent = 0;
  const total = 64 * 1024 * 1024;
  far.answers(async (response) => {
    response.writeHead(200);
    for (const piece = Buffer.alloc(64 * 1024); sent < total; sent += piece.length) {
      if (!response.write(piece)) await once(response, 'drain');
    }
    response.end();
  });
  await using slow = await asked(far);
  const { body } = await slow.answer;
  for (let before = -1; before !== sent; await delay(100)) before = sent; // nobody reads: it stops
  assert.ok(sent < total / 2, `${sent} bytes were taken`);
  let received = 0;
  for await (const chunk of body) received += chunk.length;
  assert.equal(received, total);
});
