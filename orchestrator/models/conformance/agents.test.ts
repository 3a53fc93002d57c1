import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AGENTS } from '../../../worker-agent/agents/catalogue.ts';
import { AGENT_PROTOCOLS, protocolOfAgent, testAgent } from './agents.ts';

test('agents speak what the worker says of them', () => {
  const spoken = Object.entries(AGENTS).flatMap(([name, { protocol }]) =>
    protocol === null ? [] : [[name, protocol]],
  );
  assert.deepEqual(AGENT_PROTOCOLS, Object.fromEntries(spoken));
});

test('where nobody knows what the configured agent speaks, models are tested for one that is known', () => {
  assert.deepEqual(['codex', 'command', 'toString'].map(testAgent), ['codex', 'qwen-coder', 'qwen-coder']);
  assert.throws(() => protocolOfAgent('toString'), { code: 'ERR_AGENT_UNKNOWN', remedy: /qwen-coder/ });
});
