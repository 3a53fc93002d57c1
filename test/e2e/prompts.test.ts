// What runs ask and are answered, from the policy of a project to the admin who reads it.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import type { KeptPrompt, ModelCall } from '../../protocol/model.ts';
import { startScriptedModel } from '../../worker-agent/agents/testing/scripted-model.ts';
import { eventually, startAppliance } from './appliance.ts';
import { scriptedEngine } from './scripted.ts';

const CANARY = 'the canary sings at noon';
const TOKEN = `gh${'p_'}wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx`;

const model = await startScriptedModel(() => ({ text: `An answer: ${CANARY}.` }));
const appliance = await startAppliance(scriptedEngine(model.url));
after(async () => {
  await appliance[Symbol.asyncDispose]();
  await model.close();
});

// In pieces too: what is kept of the project has no token either.
const body = { model: 'scripted', messages: [{ role: 'user', content: `${CANARY}, with TOKEN` }] };
const asks =
  `curl -s -o /dev/null "$OPENAI_BASE_URL/chat/completions" -H 'content-type: application/json' ` +
  `-d '${JSON.stringify(body).replace('TOKEN', `gh''p_${TOKEN.slice(4)}`)}'; echo 42 > answer`;

const prompts = async (run: string) =>
  JSON.parse(await appliance.autocode('run', 'prompts', run, '--json')) as ModelCall[];

test('prompts are kept from when the project says so, without secrets and sealed, and reading one is told', async () => {
  await appliance.project('kept', { agent: asks });
  const before = await appliance.task('kept', 'Before');
  assert.equal((await appliance.ended(before)).state, 'completed');
  await appliance.autocode('model', 'policy', 'kept', '--keep-prompts');
  const task = await appliance.task('kept', 'After');
  await appliance.ended(task);
  const [call] = await eventually(async () => {
    const calls = await prompts(`${task}-1`);
    return calls.length > 0 ? calls : undefined;
  }, 'a kept prompt');
  assert.deepEqual(await prompts(`${before}-1`), []);

  const shown = await appliance.autocode('run', 'prompts', `${task}-1`, String(call?.id), '--json');
  const { request, answer, redacted } = JSON.parse(shown) as KeptPrompt;
  assert.match(JSON.stringify(request), new RegExp(`${CANARY}, with \\[redacted github`));
  assert.match(answer?.text ?? '', new RegExp(CANARY));
  assert.equal(redacted, 1);
  assert.match(await appliance.autocode('events', '--kind', 'prompt.read'), /by=local/);

  const files = globSync(path.join(appliance.dataDir, 'logs/prompts/**/*'), { withFileTypes: true });
  const names = files.filter((file) => file.isFile()).map((file) => path.join(file.parentPath, file.name));
  assert.ok(names.length === 1 && names[0]?.endsWith('.age'), String(names));
  for (const name of names) assert.ok(!readFileSync(name).includes('canary'));
});
