import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Dialogue } from '../../../protocol/model.ts';
import { collector } from '../wire/collector.ts';
import { WIRES } from '../wire/table.ts';
import { replayEngine } from './replay.ts';

const directory = mkdtempSync(join(tmpdir(), 'replay-'));
after(() => rmSync(directory, { recursive: true }));

const usage = { input: 10, cached: 4, output: 2 };
const conversation = { contains: 'Task: greet' };
const write = {
  name: { chat: 'write_file', messages: 'Write', responses: 'put' },
  arguments: { path: '{{cwd}}/hello', text: 'hi' },
};
const recording = recordingFile('greet', [
  { conversation, turn: 0, answer: { text: 'I write.', toolCalls: [write], usage } },
  { conversation, turn: 1, answer: { text: 'Done in {{cwd}}.', usage } },
  { conversation, turn: 2, answer: { text: 'old', usage } },
  { conversation, turn: 2, answer: { text: 'new', usage } },
  { conversation, turn: 3, tools: false, answer: { text: 'aside', usage } },
]);

function recordingFile(name: string, entries: object[]): string {
  const path = join(directory, `${name}.jsonl`);
  const header = { recording: name, made: '2026-11-20', by: 'hand', description: '' };
  writeFileSync(path, [header, ...entries].map((line) => JSON.stringify(line)).join('\n'));
  return path;
}

const TOOLS = { chat: 'write_file', messages: 'Write', responses: 'put' };

interface Asked {
  turn?: number;
  cwd?: string;
  tools?: string[];
  stream?: boolean;
  first?: string;
}

/** A request of a client of the protocol that has had `turn` answers. */
function request(
  protocol: Dialogue,
  { turn = 0, cwd = '/work/a b', tools = [TOOLS[protocol]], stream = false, first = 'Task: greet' }: Asked,
) {
  const setting = `You are an agent.\nWorking directory: ${cwd}\nBe brief.`;
  const turns = Array.from({ length: turn }, (_, index) => [
    { role: 'assistant', content: [{ type: 'text', text: `${index}` }] },
    { role: 'user', content: [{ type: 'text', text: 'go on' }] },
  ]).flat();
  const talk = [{ role: 'user', content: first }, ...turns];
  const common = { model: 'replay/greet', stream };
  if (protocol === 'chat') {
    const offered = tools.map((name) => ({ type: 'function', function: { name } }));
    return { ...common, messages: [{ role: 'system', content: setting }, ...talk], tools: offered };
  }
  if (protocol === 'messages')
    return { ...common, system: setting, messages: talk, tools: tools.map((name) => ({ name })) };
  return {
    ...common,
    instructions: setting,
    input: talk,
    tools: tools.map((name) => ({ type: 'function', name })),
  };
}

async function play(protocol: Dialogue, asked: Asked, path = recording) {
  const json = request(protocol, asked);
  const engine = replayEngine(path);
  const signal = new AbortController().signal;
  const answer = await engine.answer({
    protocol,
    path: WIRES[protocol].path,
    body: Buffer.from(JSON.stringify(json)),
    json,
    headers: {},
    signal,
  });
  const reading = collector(protocol);
  for await (const chunk of answer.body) (asked.stream ? reading.push : reading.whole)(chunk);
  return reading.collected;
}

for (const protocol of ['chat', 'responses', 'messages'] as const) {
  for (const stream of [true, false]) {
    test(`${protocol}${stream ? ', streamed' : ''}: each turn is answered, in the directory of the request`, async () => {
      const first = await play(protocol, { stream });
      assert.equal(first.text, 'I write.');
      assert.deepEqual(
        [...first.toolCalls.values()],
        [{ name: TOOLS[protocol], arguments: '{"path":"/work/a b/hello","text":"hi"}' }],
      );
      assert.deepEqual(first.tokens, usage);
      assert.equal(
        (await play(protocol, { stream, turn: 1, cwd: '/elsewhere' })).text,
        'Done in /elsewhere.',
      );
    });
  }

  test(`${protocol}: leaving the recording is refused with what was asked and what was nearest`, async () => {
    const refused = (asked: Asked, message: RegExp) =>
      assert.rejects(play(protocol, asked), {
        code: 'ERR_RECORDING_LEFT',
        status: 422,
        message,
        remedy: /autocode replay record/,
      });
    await refused(
      { turn: 9 },
      new RegExp(`"greet".*turn 9.*"Task: greet" over ${protocol}.*turns 0, 1, 2, 3`),
    );
    await refused({ first: 'Task: other' }, /"Task: other".*conversations "Task: greet"/);
    await refused({ tools: ['else'] }, /calls the tool \w+, which the agent does not offer \(else\)/);
    await refused({ turn: 3 }, /without tools only/);
  });
}

test('of two entries for one turn the last is played', async () => {
  assert.equal((await play('chat', { turn: 2 })).text, 'new');
});

test('a request without tools has entries of its own', async () => {
  assert.equal((await play('chat', { turn: 3, tools: [] })).text, 'aside');
});

test('a recording that was changed is read again, one with a mistake is refused with its line', async () => {
  const path = recordingFile('grows', [{ conversation, turn: 0, answer: { text: 'a', usage } }]);
  const engine = replayEngine(path);
  const json = request('chat', {});
  const ask = () =>
    engine.answer({
      protocol: 'chat',
      path: '/chat/completions',
      body: Buffer.from(''),
      json,
      headers: {},
      signal: AbortSignal.timeout(5000),
    });
  await ask();
  writeFileSync(path, `{"recording":"grows","made":"2026-11-20","by":"hand"}\n\n{"turn":"x"}\n`);
  await assert.rejects(ask(), { code: 'ERR_INVALID_INPUT', message: /grows\.jsonl, line 3: / });
});

test('a directory that JSON must escape stays one argument', async () => {
  const { toolCalls } = await play('chat', { cwd: '/a\\b' });
  const [call] = toolCalls.values();
  assert.deepEqual(JSON.parse(call?.arguments ?? ''), { path: '/a\\b/hello', text: 'hi' });
});
