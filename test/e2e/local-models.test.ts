// Models on the appliance's own GPUs, from the client of the gateway to the process of an engine and back: with a program in
// place of vLLM, and GPUs that are declared.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { LocalModelStatus, ModelCommand } from '../../protocol/local-model.ts';
import type { Status } from '../../protocol/status.ts';
import {
  CARD_MIB,
  ENGINE_PROGRAM,
  localModelsRig,
} from '../../orchestrator/models/supervisor/testing/local-models.ts';
import { eventually, processesOf, startAppliance } from './appliance.ts';

const AUTOCODE = path.join(import.meta.dirname, '../../autocode');
const directory = mkdtempSync(path.join(tmpdir(), 'autocode-gpus-'));
const rig = localModelsRig(directory, [
  { name: 'coder', fallback: ['local/reasoner'] },
  { name: 'reasoner' },
]);
const catalogue = path.join(directory, 'models.yaml');
writeFileSync(catalogue, rig.catalogue);
const appliance = await startAppliance(
  `models.local.catalogue=${catalogue}`,
  `models.local.weights=${rig.weights}`,
  `models.local.vllm=${ENGINE_PROGRAM}`,
  `models.local.gpus=${JSON.stringify([{ name: 'Card', totalMib: CARD_MIB }])}`,
  'models.local.residencySeconds=0',
  'worker.local=false',
);
const key = (await appliance.autocode('key', 'create', 'editor')).trim();
after(async () => {
  await appliance[Symbol.asyncDispose]();
  for (const pid of processesOf(directory)) process.kill(pid, 'SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

const ask = async (model: string, stream = false) => {
  const { gatewayUrl } = await appliance.api<Status>('GET', '/status');
  return await fetch(`${gatewayUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'hello' }] }),
  });
};
const answered = async (model: string) => {
  const answer = await ask(model);
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return (JSON.parse(text) as { choices: { message: { content: string } }[] }).choices[0]!.message.content;
};
const running = () => rig.engines().map(({ model }) => model);

test('a request loads its model; the next one is answered by another that takes its place', async () => {
  assert.match(await answered('local/coder'), /^coder/);
  assert.deepEqual(running(), ['coder']);
  assert.match(await answered('reasoner'), /^reasoner/, 'the bare name will do');
  assert.deepEqual(running(), ['reasoner']);
  assert.match(await answered('local/coder'), /^(coder|reasoner)/);
  assert.equal(rig.overcommitted(), '');
});

test('a daemon that is killed leaves the engine at work, and the next one goes on with it within two seconds', async () => {
  await appliance.autocode('model', 'load', 'coder');
  const engines = rig.engines();
  process.kill(appliance.daemonPid(), 'SIGKILL');
  await appliance.up();
  const began = performance.now();
  assert.match(await answered('local/coder'), /^coder/);
  assert.ok(performance.now() - began < 2_000);
  assert.deepEqual(rig.engines(), engines);
  assert.match(
    await appliance.autocode('model', 'why', 'coder'),
    /adopt on GPU 0\n.*\n.*→ ready after \d{1,4} ms/,
  );
});

test('a daemon that is killed while a model loads goes on with the load', async () => {
  await appliance.autocode('model', 'unload', '--all');
  rig.behave('coder', { loadMs: 4_000 });
  await appliance.autocode('model', 'load', 'coder', '--no-wait');
  const [engine] = await eventually(
    () => Promise.resolve(rig.engines().length > 0 ? rig.engines() : undefined),
    'an engine',
  );
  process.kill(appliance.daemonPid(), 'SIGKILL');
  await appliance.up();
  assert.match(await appliance.autocode('model', 'load', 'coder'), /eady on GPU 0/);
  assert.deepEqual(rig.engines(), [engine]);
  rig.behave('coder', {});
});

test('an engine that is killed while it streams ends the answer with an error, and the next request is answered', async () => {
  rig.behave('coder', { tokens: 10_000, tokenMs: 20 });
  const answer = await ask('local/coder', true);
  const [engine] = rig.engines();
  let text = '';
  for await (const chunk of answer.body!) {
    if (text === '') process.kill(engine!.pid, 'SIGKILL');
    text += Buffer.from(chunk).toString();
  }
  assert.match(text, /"error"/);
  assert.doesNotMatch(text, /\[DONE\]/);
  rig.behave('coder', {});
  const again = await eventually(
    async () => await answered('local/coder').catch(() => undefined),
    'an answer',
    20_000,
  );
  assert.match(again, /^(coder|reasoner)/);
  const { problem, state } = await appliance.api<LocalModelStatus>('GET', '/local-models/coder');
  assert.ok(state !== 'failed' || problem !== null);
  assert.match(await appliance.autocode('model', 'why', 'coder'), /restart on GPU 0/);
});

test('Ctrl-C ends the watching of a load, and the load goes on', async () => {
  await appliance.autocode('model', 'unload', '--all');
  rig.behave('coder', { loadMs: 3_000 });
  const watching = spawn(AUTOCODE, ['model', 'load', 'coder', '--set', `dataDir=${appliance.dataDir}`]);
  let told = '';
  for await (const chunk of watching.stderr.setEncoding('utf8') as AsyncIterable<string>) {
    if (told === '') watching.kill('SIGINT');
    told += chunk;
  }
  assert.equal(watching.exitCode ?? ((await once(watching, 'exit')) as [number])[0], 130);
  assert.match(told, /What was asked for goes on: see `autocode model list`\.\n$/);
  assert.match(await appliance.autocode('model', 'load', 'coder'), /eady on GPU 0/);
  rig.behave('coder', {});
});

test('the CLI loads, shows, puts to sleep, wakes and unloads; what is so already is told and no failure', async () => {
  assert.match(await appliance.autocode('model', 'load', 'local/coder'), /eady on GPU 0/);
  assert.match(await appliance.autocode('model', 'load', 'coder'), /It is ready on GPU 0 already\./);
  assert.match(await appliance.autocode('model', 'list'), /coder +ready +0 +0 \+ 0 .* 7372 +on-demand/);
  assert.match(await appliance.autocode('model', 'show', 'coder'), /state +ready/);
  assert.match(await appliance.autocode('model', 'sleep', 'coder'), /Asleep\./);
  assert.match(await appliance.autocode('model', 'wake', 'coder'), /Awake\./);
  const shown = await appliance.autocode('model', 'load', 'coder', '--no-wait', '--json');
  assert.equal((JSON.parse(shown) as ModelCommand).action, 'load');
  assert.match(await appliance.autocode('model', 'logs', 'coder'), /\S/);
  assert.match(await appliance.autocode('model', 'verify', 'local/coder'), /^coder: 5 files/);
  assert.match(await appliance.autocode('model', 'unload', '--all'), /Unloaded\./);
  assert.deepEqual(rig.engines(), []);
  assert.match(await appliance.autocode('model', 'unload', '--all'), /No model is loaded\./);
  await assert.rejects(appliance.autocode('model', 'load', 'nothing'), /ERR_MODEL_UNKNOWN|coder, reasoner/);
});
