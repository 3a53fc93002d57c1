import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fakeEngine, sendBody, sendStream } from './testing/fake-engine.ts';
import { replayEngine } from './engine/replay.ts';
import { startRecorder } from './record.ts';
import { readRecording } from './recording.ts';
import { collector } from './wire/collector.ts';
import { encodeEvent } from './wire/sse.ts';
import { WIRES } from './wire/table.ts';
import type { Wire } from './wire/wire.ts';

const KEY = 'a-secret-key-of-the-upstream';

/** One request of a conversation in a directory, as the protocol's client writes it. */
function ask(
  wire: Wire,
  cwd: string,
  {
    stream,
    turn = 0,
    opening = 'Task: greet\nin any words',
  }: { stream: boolean; turn?: number; opening?: string },
) {
  const setting = `Working directory: ${cwd}\n`;
  const talk = [
    { role: 'user', content: opening },
    ...Array.from({ length: turn }, () => [
      { role: 'assistant', content: 'yes' },
      { role: 'user', content: 'on' },
    ]).flat(),
  ];
  const tool =
    wire.protocol === 'chat'
      ? { type: 'function', function: { name: 'edit' } }
      : { type: 'function', name: 'edit' };
  const request = { model: 'm', stream, tools: [tool] };
  if (wire.protocol === 'chat')
    return { ...request, messages: [{ role: 'system', content: setting }, ...talk] };
  return wire.protocol === 'messages'
    ? { ...request, system: setting, messages: talk }
    : { ...request, instructions: setting, input: talk };
}

for (const wire of Object.values(WIRES)) {
  test(`${wire.protocol}: what was recorded in one directory is played in another`, async () => {
    using directory = scratch();
    await using upstream = await fakeEngine();
    const file = join(directory.path, 'made.jsonl');
    const recorder = await startRecorder({
      upstreamUrl: upstream.url,
      apiKey: KEY,
      file,
      host: '127.0.0.1',
      port: 'auto',
    });
    const reply = {
      id: 'x',
      model: 'm',
      text: `I edit /work/one/a. ${KEY}`,
      toolCalls: [{ name: 'edit', arguments: '{"path":"/work/one/a","text":"é\\n"}', freeform: false }],
      tokens: { input: 100, cached: 60, output: 8 },
    };
    const post = (body: object) =>
      fetch(`${recorder.url}/v1${wire.path}`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { authorization: 'Bearer of-the-client' },
      });

    upstream.answers((response) => sendStream(response, wire.events(reply).map(encodeEvent).join('')));
    const streamed = await post(ask(wire, '/work/one', { stream: true }));
    assert.equal(await streamed.text(), wire.events(reply).map(encodeEvent).join(''));
    upstream.answers((response) =>
      sendBody(response, 200, wire.whole({ ...reply, text: 'Done.', toolCalls: [] })),
    );
    await (await post(ask(wire, '/work/one', { stream: false, turn: 1 }))).text();
    upstream.answers((response) => sendBody(response, 429, { error: 'slow down' }));
    assert.equal((await post(ask(wire, '/work/one', { stream: false, turn: 2 }))).status, 429);
    await recorder.stop();

    assert.equal(upstream.seen[0]?.headers.authorization, `Bearer ${KEY}`);
    const text = readFileSync(file, 'utf8');
    assert.ok(!text.includes(KEY) && !text.includes('of-the-client') && !text.includes('/work/one'), text);
    const { header, entries } = await readRecording(file);
    assert.equal(header.by, 'record');
    assert.deepEqual(
      entries.map(({ conversation, turn, tools }) => ({ conversation, turn, tools })),
      [
        { conversation: { contains: 'Task: greet' }, turn: 0, tools: true },
        { conversation: { contains: 'Task: greet' }, turn: 1, tools: true },
      ],
    );

    const json = ask(wire, '/two', { stream: true });
    const signal = new AbortController().signal;
    const played = await replayEngine(file).answer({
      protocol: wire.protocol,
      path: wire.path,
      body: Buffer.from(''),
      json,
      headers: {},
      signal,
    });
    const { collected, push } = collector(wire.protocol);
    for await (const chunk of played.body) push(chunk);
    assert.equal(collected.text, 'I edit /two/a. [key]');
    assert.deepEqual(JSON.parse([...collected.toolCalls.values()][0]?.arguments ?? ''), {
      path: '/two/a',
      text: 'é\n',
    });
    assert.deepEqual(collected.tokens, reply.tokens);
  });
}

test('a conversation without a task line is known by its words, not by directory or reminders', async () => {
  using directory = scratch();
  await using upstream = await fakeEngine();
  const file = join(directory.path, 'free.jsonl');
  const recorder = await startRecorder({ upstreamUrl: upstream.url, file, host: '127.0.0.1', port: 'auto' });
  const wire = WIRES.chat;
  const reply = {
    id: 'x',
    model: 'm',
    text: 'Hi.',
    toolCalls: [],
    tokens: { input: 1, cached: 0, output: 1 },
  };
  upstream.answers((response) => sendBody(response, 200, wire.whole(reply)));
  const body = ask(wire, '/one', { stream: false, opening: 'Say hi in /one' });
  await (
    await fetch(`${recorder.url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(body) })
  ).text();
  await recorder.stop();
  const json = ask(wire, '/two', {
    stream: false,
    opening: '<system-reminder>today</system-reminder>\nSay  hi in /two',
  });
  const signal = new AbortController().signal;
  const played = await replayEngine(file).answer({
    protocol: 'chat',
    path: wire.path,
    body: Buffer.from(''),
    json,
    headers: {},
    signal,
  });
  assert.equal(played.status, 200);
});

test('an existing recording is added to; a file that is none, or has a wrong name, is refused', async () => {
  using directory = scratch();
  const options = { upstreamUrl: 'http://127.0.0.1:9', host: '127.0.0.1', port: 'auto' } as const;
  const file = join(directory.path, 'again.jsonl');
  for (let times = 0; times < 2; times++) await (await startRecorder({ ...options, file })).stop();
  assert.equal(readFileSync(file, 'utf8').trim().split('\n').length, 1);
  writeFileSync(join(directory.path, 'other.jsonl'), 'notes\n');
  await assert.rejects(startRecorder({ ...options, file: join(directory.path, 'other.jsonl') }), {
    code: 'ERR_INVALID_INPUT',
    message: /line 1/,
  });
  await assert.rejects(startRecorder({ ...options, file: join(directory.path, 'Bad Name.txt') }), {
    code: 'ERR_INVALID_INPUT',
  });
});

test('an upstream that is away, and a path that is none, are told to the client', async () => {
  using directory = scratch();
  const file = join(directory.path, 'away.jsonl');
  const recorder = await startRecorder({
    upstreamUrl: 'http://127.0.0.1:9',
    file,
    host: '127.0.0.1',
    port: 'auto',
  });
  const away = await fetch(`${recorder.url}/v1/messages`, { method: 'POST', body: '{}' });
  assert.equal(away.status, 502);
  assert.match(await away.text(), /ERR_ENGINE_UNAVAILABLE/);
  assert.equal((await fetch(`${recorder.url}/v1/models`)).status, 404);
  await recorder.stop();
});

function scratch() {
  const path = mkdtempSync(join(tmpdir(), 'record-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}
