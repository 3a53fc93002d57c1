import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPrivate } from './private-address.ts';

test('which addresses are in the appliance', () => {
  for (const host of [
    '127.0.0.1',
    '10.1.2.3',
    '172.20.0.1',
    '192.168.0.9',
    '[::1]',
    'fd00::1',
    'gpu',
    'gpu.local',
    'localhost',
  ])
    assert.ok(isPrivate(host), host);
  for (const host of ['8.8.8.8', '172.32.0.1', 'api.openai.com', '[2001:db8::1]', 'local.example.com'])
    assert.ok(!isPrivate(host), host);
});
