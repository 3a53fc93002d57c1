// The tests of models before a real vLLM, in the protocol of each agent: a tiny model of random weights does nothing that
// an agent needs, and vLLM itself is not to blame for it.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { gatewayRig } from '../../orchestrator/gateway/testing/rig.ts';
import { modelTests } from '../../orchestrator/models/conformance/model-tests.ts';
import { listTests } from '../../orchestrator/models/conformance/results.ts';
import { vllmEngine } from '../../orchestrator/models/engine/vllm.ts';
import { TINY, tinyModel, VLLM } from '../support/inference.ts';

const START_MS = 240_000;
const { signal } = new AbortController();

test('a random model fails by what it says, and passes by what its engine does', async () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'autocode-model-tests-'));
  const warn = (message: string) => assert.fail(message);
  const engine = vllmEngine({ program: VLLM, logs: directory, environment: process.env, warn });
  const model = tinyModel();
  const launch = { id: randomUUID(), model, replica: 0, weights: TINY, gpus: [0], gpuMemoryUtilization: 0.1 };
  const handle = await engine.start(launch, async () => {}, signal);
  let held = 0;
  const acquire = async () => {
    held++;
    return {
      url: handle.endpoint,
      served: handle.served,
      gpus: 1,
      failed: () => {},
      release: () => void held--,
    };
  };
  const gpu = { pricePerHour: 1, watts: 230, pricePerKwh: 0.3 };
  await using rig = await gatewayRig({ own: { models: [model], gpu }, supervisor: { acquire } });
  try {
    const deadline = performance.now() + START_MS;
    for (let state = ''; state !== 'ready'; await delay(100)) {
      ({ state } = await engine.health(handle, signal));
      assert.ok(state !== 'failed' && performance.now() < deadline, state);
    }
    const gatewayUrl = () => rig.gateway.url;
    const tests = modelTests({ db: rig.db, catalogue: rig.catalogue, gatewayUrl, stopping: signal, warn });
    for (const agent of ['qwen-coder', 'claude-code', 'codex']) {
      const { id } = await tests.start({ model: 'tiny', agent });
      const ended = async () => {
        const found = (await listTests(rig.db, { limit: 10 })).find((one) => one.id === id)!;
        return found.state === 'running' ? undefined : found;
      };
      let result = await ended();
      for (; result === undefined; result = await ended()) await delay(100);
      const told = result.checks.map(({ name, passed }) => `${name} ${passed}`).join(', ');
      const expected =
        'tool-call false, arguments false, usage true, stops false, no-loop false, context false';
      assert.deepEqual([agent, result.problem, told], [agent, null, expected]);
      assert.match(result.checks.at(-1)!.detail, /a word at the beginning of \d+ tokens is not found/);
    }
    const calls = await rig.calls();
    assert.ok(calls.every((call) => call.usage_source === 'upstream' && Number(call.gpu_ms) > 0));
    assert.equal(held, 0);
  } finally {
    await engine.stop(handle);
    rmSync(directory, { recursive: true });
  }
});
