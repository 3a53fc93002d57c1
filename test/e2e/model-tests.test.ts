// Tests and roles of models as a user meets them: on the command line of a running daemon, with an engine that answers by
// script.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { ModelRole, ModelTest } from '../../protocol/local-model.ts';
import type { Status } from '../../protocol/status.ts';
import { scriptedModel } from '../../orchestrator/models/conformance/testing/scripted-model.ts';
import { fakeEngine } from '../../orchestrator/models/testing/fake-engine.ts';
import { startAppliance } from './appliance.ts';

const engine = await fakeEngine();
const good = scriptedModel();
const bad = scriptedModel('writes calls as text');
engine.answers((response, seen) => (JSON.parse(seen.body).model === 'bad' ? bad : good)(response, seen));
const gpu = { kind: 'upstream', name: 'gpu', url: engine.url, models: [{ name: 'good' }, { name: 'bad' }] };
const away = { kind: 'upstream', name: 'away', url: 'http://127.0.0.1:9', models: [{ name: 'nobody' }] };
const appliance = await startAppliance(
  `models.engines=${JSON.stringify([gpu, away])}`,
  'models.roles.coder=[gpu/bad]',
  'worker.local=false',
);
after(async () => {
  await appliance[Symbol.asyncDispose]();
  await engine[Symbol.asyncDispose]();
});

interface Failure {
  code: number;
  stdout: string;
  stderr: string;
}
const failing = async (...args: string[]): Promise<Failure> =>
  await appliance.autocode(...args).then(
    (stdout) => assert.fail(stdout),
    (error: Failure) => error,
  );

test('a model that passes is shown so, one that fails ends with 1, one whose engine is away with 6', async () => {
  const shown = await appliance.autocode('model', 'test', 'good', '--agent', 'claude-code');
  assert.match(shown, /tool-call +passed +calls replace_line[\s\S]*gpu\/good does what claude-code needs/);
  const failed = await failing('model', 'test', 'gpu/bad', '--json');
  const result = JSON.parse(failed.stdout) as ModelTest;
  assert.deepEqual(
    [failed.code, result.state, result.passed, result.agent],
    [1, 'done', false, 'qwen-coder'],
  );
  const unmade = await failing('model', 'test', 'nobody');
  assert.equal(unmade.code, 6);
  assert.match(unmade.stderr, /away\/nobody could not be tested: .*does not answer/);
  const list = await appliance.autocode('model', 'test');
  assert.match(list, /away\/nobody .*not made[\s\S]*gpu\/bad .*failed +tool-call: [\s\S]*gpu\/good .*passed/);
  assert.doesNotMatch(await appliance.autocode('key', 'list', '--json'), /ac_gateway_/);
});

test('a role goes to a model that passed, and agents get it with their next call', async () => {
  const key = (await appliance.autocode('key', 'create', 'editor')).trim();
  const { gatewayUrl } = await appliance.api<Status>('GET', '/status');
  const served = async () => {
    const answer = await fetch(`${gatewayUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify({ model: 'autocode/coder', messages: [{ role: 'user', content: 'hello' }] }),
    });
    await answer.text();
    return answer.headers.get('x-autocode-model');
  };
  assert.equal(await served(), 'gpu/bad');
  const refused = await failing('model', 'role', 'coder', 'gpu/bad', 'gpu/good');
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /ERR_MODEL_UNSUITED[\s\S]*autocode model test gpu\/bad --agent qwen-coder/);
  const shown = await appliance.autocode('model', 'role', 'coder', 'good', 'bad');
  assert.match(shown, /autocode\/coder +gpu\/good, gpu\/bad +model role/);
  assert.equal(await served(), 'gpu/good');
  await appliance.autocode('model', 'role', 'coder', 'bad', '--force');
  assert.equal(await served(), 'gpu/bad');
  await appliance.autocode('model', 'role', 'coder', '--clear');
  const roles = JSON.parse(await appliance.autocode('model', 'role', '--json')) as ModelRole[];
  assert.deepEqual(roles[0], { role: 'coder', models: ['gpu/bad'], source: 'configuration' });
  assert.equal((await failing('model', 'role', '--clear')).code, 2);
  assert.equal((await failing('model', 'role', 'coder', 'good', '--clear')).code, 2);
});
