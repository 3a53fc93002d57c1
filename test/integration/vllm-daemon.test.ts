// The whole way before a real vLLM on the processor: from a client of the gateway to an engine that the daemon starts, puts to
// sleep, finds again when it was killed itself, and ends.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { LocalModelStatus } from '../../protocol/local-model.ts';
import type { Status } from '../../protocol/status.ts';
import { eventually, startAppliance } from '../e2e/appliance.ts';
import { tinyModel, VLLM, WEIGHTS } from '../support/inference.ts';

const directory = mkdtempSync(path.join(os.tmpdir(), 'autocode-vllm-daemon-'));
const catalogue = path.join(directory, 'models.yaml');
writeFileSync(catalogue, JSON.stringify({ models: [tinyModel()] }));
const appliance = await startAppliance(
  `models.local.catalogue=${catalogue}`,
  `models.local.weights=${WEIGHTS}`,
  `models.local.vllm=${VLLM}`,
  `models.local.gpus=${JSON.stringify([{ totalMib: 24_564 }])}`,
  'models.local.residencySeconds=0',
  'worker.local=false',
);
const key = (await appliance.autocode('key', 'create', 'editor')).trim();
after(async () => {
  await appliance.autocode('model', 'unload', '--all').catch(() => {});
  await appliance[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

const ask = async () => {
  const { gatewayUrl } = await appliance.api<Status>('GET', '/status');
  const answer = await fetch(`${gatewayUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'local/tiny',
      max_tokens: 5,
      messages: [{ role: 'user', content: 'hello' }],
    }),
  });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return (JSON.parse(text) as { usage: { completion_tokens: number } }).usage.completion_tokens;
};
const status = async () => await appliance.api<LocalModelStatus>('GET', '/local-models/tiny');

test('a request has its model loaded and is answered', async () => {
  assert.equal(await ask(), 5);
  const { state, gpus, pid } = await status();
  assert.deepEqual([state, gpus], ['ready', [0]]);
  assert.ok(pid !== null);
  const told = await eventually(async () => (await status()).figures ?? undefined, 'figures');
  assert.ok(told.generatedTokens > 0);
});

test('a daemon that is killed leaves the engine at work, and the next one has it answer within two seconds', async () => {
  const { pid } = await status();
  process.kill(appliance.daemonPid(), 'SIGKILL');
  await appliance.up();
  const began = performance.now();
  assert.equal(await ask(), 5);
  assert.ok(performance.now() - began < 2_000, `${performance.now() - began} ms`);
  assert.equal((await status()).pid, pid);
});

test('it sleeps, is woken by a request, and is ended with all its processes', async () => {
  assert.match(await appliance.autocode('model', 'sleep', 'tiny'), /Asleep/);
  assert.equal((await status()).state, 'asleep');
  assert.equal(await ask(), 5);
  assert.match(await appliance.autocode('model', 'logs', 'tiny'), /wake up the engine/);
  assert.match(await appliance.autocode('model', 'unload', 'tiny'), /Unloaded/);
  assert.equal((await status()).pid, null);
});
