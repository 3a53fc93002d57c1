import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { generateX25519Identity } from 'age-encryption';
import { keptRequests, openPrompt } from './files.ts';
import { promptKeeper, type PromptToKeep } from './keeper.ts';

const CANARY = 'the canary sings at noon';
const PROMPT: PromptToKeep = {
  run: '1-1',
  request: 'first',
  protocol: 'chat',
  body: Buffer.from(JSON.stringify({ model: 'small', messages: [{ role: 'user', content: CANARY }] })),
  answer: {
    streamed: false,
    bytes: Buffer.from(
      JSON.stringify({ choices: [{ message: { content: 'Hello.' }, finish_reason: 'stop' }] }),
    ),
  },
};

async function place(t: TestContext, parts: { timeoutMs?: number; waitingBytes?: number } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'autocode-prompts-'));
  const identity = await generateX25519Identity();
  const warned: string[] = [];
  const keeper = promptKeeper({
    directory,
    key: async () => identity,
    live: async () => [{ name: 'payments/card', value: 'canary-0815-x' }],
    warn: (message, fields) => void warned.push(`${message} ${Object.values(fields).join(' ')}`),
    ...parts,
  });
  t.after(async () => {
    await keeper.close();
    rmSync(directory, { recursive: true });
  });
  return { directory, identity, keeper, warned };
}

test('a prompt and its answer can be opened again, and nothing of them is on disk in clear', async (t) => {
  const { directory, identity, keeper, warned } = await place(t);
  keeper.keep(PROMPT);
  keeper.keep({ ...PROMPT, request: 'broken', answer: undefined });
  await keeper.close();
  assert.deepEqual(warned, []);
  assert.deepEqual((await keptRequests(directory, '1-1')).sort(), ['broken', 'first']);
  const kept = await openPrompt(directory, identity, PROMPT);
  assert.deepEqual(kept, {
    request: JSON.parse(String(PROMPT.body)),
    answer: { text: 'Hello.', toolCalls: [] },
    redacted: 0,
  });
  assert.equal((await openPrompt(directory, identity, { run: '1-1', request: 'broken' }))?.answer, null);
  assert.equal(await openPrompt(directory, identity, { run: '1-1', request: 'none' }), undefined);
  for (const name of readdirSync(join(directory, '1-1')))
    assert.ok(!readFileSync(join(directory, '1-1', name)).includes('canary'));
});

test('a key in a streamed answer is found though the stream cuts it in two', async (t) => {
  const { directory, identity, keeper } = await place(t);
  const events = [`gh${'p_'}wWPw5k4aXcaT4fN`, 'P0UcnZwJUVFk6LO0pINUx']
    .map((content) => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`)
    .join('');
  keeper.keep({ ...PROMPT, answer: { streamed: true, bytes: Buffer.from(`${events}data: [DONE]\n\n`) } });
  await keeper.close();
  const kept = await openPrompt(directory, identity, PROMPT);
  assert.match(kept?.answer?.text ?? '', /^\[redacted github/);
  assert.equal(kept?.redacted, 1);
});

test('one that takes too long is given up with a warning, those after it are kept', async (t) => {
  const { directory, keeper, warned } = await place(t, { timeoutMs: 1 });
  keeper.keep(PROMPT);
  await keeper.close();
  assert.match(warned.join(), /could not be kept 1-1 first/);
  assert.deepEqual(await keptRequests(directory, '1-1'), []);
  const patient = await place(t);
  patient.keeper.keep({ ...PROMPT, request: 'unreadable', body: Buffer.from('{') });
  patient.keeper.keep(PROMPT);
  await patient.keeper.close();
  assert.match(patient.warned.join(), /could not be kept 1-1 unreadable/);
  assert.deepEqual(await keptRequests(patient.directory, '1-1'), ['first']);
});

test('beyond what may wait, prompts are not kept and that is told', async (t) => {
  const { keeper, warned } = await place(t, { waitingBytes: 10 });
  keeper.keep(PROMPT);
  assert.match(warned.join(), /too many are waiting/);
});

test('a file moved over that of another call, and one of another key, are not opened', async (t) => {
  const { directory, identity, keeper } = await place(t);
  keeper.keep(PROMPT);
  await keeper.close();
  const other = await generateX25519Identity();
  await assert.rejects(openPrompt(directory, other, PROMPT), {
    code: 'ERR_SECRET',
    message: /cannot be opened/,
  });
  copyFileSync(join(directory, '1-1/first.age'), join(directory, '1-1/second.age'));
  await assert.rejects(openPrompt(directory, identity, { run: '1-1', request: 'second' }), {
    code: 'ERR_SECRET',
  });
});

test('whatever moment the process is killed at, each file that is there can be opened', async (t) => {
  const { directory, identity } = await place(t);
  for (const wanted of [1, 3, 5]) {
    const run = `${wanted}-1`;
    const program = join(directory, 'keep.mjs');
    writeFileSync(
      program,
      `
      import { promptKeeper } from ${JSON.stringify(join(import.meta.dirname, 'keeper.ts'))};
      const keeper = promptKeeper({ directory: ${JSON.stringify(directory)}, key: async () => '${identity}', live: async () => [], warn: console.error });
      for (let n = 0; n < 1000; n++)
        keeper.keep({ run: '${run}', request: String(n), protocol: 'chat', body: Buffer.from(${JSON.stringify(String(PROMPT.body))}) });
      setInterval(() => {}, 1000);`,
    );
    const child = spawn(process.execPath, [program], { stdio: 'inherit' });
    const exit = once(child, 'exit');
    const deadline = Date.now() + 30_000;
    while ((await keptRequests(directory, run)).length < wanted && Date.now() < deadline) await delay(1);
    child.kill('SIGKILL');
    await exit;
    const kept = await keptRequests(directory, run);
    assert.ok(kept.length >= wanted && kept.length < 1000, String(kept.length));
    for (const request of kept) assert.ok(await openPrompt(directory, identity, { run, request }));
  }
});
