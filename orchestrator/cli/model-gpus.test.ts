import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Gpu } from '../../protocol/local-model.ts';
import { fakeApi, runCli } from './testing/run-cli.ts';

const BUSY: Gpu = {
  index: 0,
  name: 'NVIDIA RTX A5000',
  uuid: 'GPU-30667114-4567-bc4a-029b-3375d117048e',
  totalMib: 24_564,
  usedMib: 21_894,
  foreignMib: 16,
  utilisation: 97,
  temperature: 74,
  watts: 226.31,
  eccErrors: 0,
  xid: null,
  state: 'ok',
  detail: '',
};
const LOST: Gpu = {
  ...BUSY,
  index: 1,
  usedMib: null,
  foreignMib: null,
  utilisation: null,
  temperature: null,
  watts: null,
  xid: 79,
  state: 'lost',
  detail: 'It has fallen off the bus. Restart the machine.',
};

test('GPUs are a table: what they have, what is not known, and why one is not used', async () => {
  await using api = await fakeApi({ 'GET /gpus': { body: { gpus: [BUSY, LOST], problem: null } } });
  const { stdout } = await runCli(['model', 'gpus', '--url', api.url]);
  assert.match(stdout, /0 +NVIDIA RTX A5000 +ok +21\.4 GiB of 24 GiB +16 MiB +97 % +74 °C +226 W +0 +-/);
  assert.match(
    stdout,
    /1 +NVIDIA RTX A5000 +lost +- of 24 GiB +- +- +- +- +0 +79 +It has fallen off the bus\./,
  );
  const json = await runCli(['model', 'gpus', '--json', '--url', api.url]);
  assert.deepEqual(JSON.parse(json.stdout).gpus, [BUSY, LOST]);
});

test('without GPUs the reason is told, with what to do', async () => {
  const problem = 'nvidia-smi cannot be started: it is not there. Install the NVIDIA driver.';
  await using api = await fakeApi({ 'GET /gpus': { body: { gpus: [], problem } } });
  const { stdout, code } = await runCli(['model', 'gpus', '--url', api.url]);
  assert.deepEqual([stdout, code], [`${problem}\n`, 0]);
});
