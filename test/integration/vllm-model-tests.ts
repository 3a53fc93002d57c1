// The tests of models before a real vLLM, in the protocol of each agent: a tiny model of random weights does nothing that
// an agent needs, and vLLM itself is not to blame for it. A case of vllm.test.ts, which has the engine.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { LocalModel } from '../../protocol/local-model.ts';
import { gatewayRig } from '../../orchestrator/gateway/testing/rig.ts';
import { modelTests } from '../../orchestrator/models/conformance/model-tests.ts';
import { listTests } from '../../orchestrator/models/conformance/results.ts';
import type { Handle } from '../../orchestrator/models/engine/managed.ts';

/** Has the model tested for every protocol, and looks at what was found and measured. */
export async function randomModelFails(model: LocalModel, handle: Handle): Promise<void> {
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
  const tests = modelTests({
    db: rig.db,
    catalogue: rig.catalogue,
    gatewayUrl: () => rig.gateway.url,
    stopping: new AbortController().signal,
    warn: (message) => assert.fail(message),
  });
  for (const agent of ['qwen-coder', 'claude-code', 'codex']) {
    const { id } = await tests.start({ model: model.name, agent });
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
}
