import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { complete, eventually, supervised } from './testing/supervised.ts';

const unavailable = (words: RegExp) => (error: Error & { code?: string; remedy?: string }) => {
  assert.equal(error.code, 'ERR_ENGINE_UNAVAILABLE');
  assert.match(`${error.message} ${error.remedy}`, words);
  return true;
};

test('a load that runs out of memory makes room of what is idle, and is tried once more', async () => {
  const shared = { shared: true, sequences: 1 };
  await using rig = await supervised([
    { name: 'small', ...shared },
    { name: 'coder', ...shared },
  ]);
  (await rig.acquire('small')).release();
  rig.behave('coder', { outOfMemory: 1 });
  const place = await rig.acquire('coder');
  assert.match(await complete(place), /^coder/);
  place.release();
  assert.deepEqual(
    rig.engines().map(({ model }) => model),
    ['coder'],
  );
  await rig.decided('small', /unload: unloaded$/);
});

test('a load that runs out of memory twice has failed: who waits is told why, and what to do', async () => {
  await using rig = await supervised([{ name: 'coder' }]);
  rig.behave('coder', { outOfMemory: 2 });
  await assert.rejects(
    rig.acquire('coder'),
    unavailable(/ran out of memory.*model gpus.*tried again in \d s/),
  );
  const { state, problem, remedy } = await rig.model('coder');
  assert.equal(state, 'failed');
  assert.match(`${problem} ${remedy}`, /out of memory.*model gpus/);
  await rig.decided('coder', /^load: failed \(.*\) after \d+ s, at the second try$/);
  await assert.rejects(
    rig.acquire('coder'),
    unavailable(/tried again in/),
    'until then it is refused at once',
  );
});

test('an engine that ends while it loads has failed with what its log says', async () => {
  await using rig = await supervised([{ name: 'coder' }]);
  rig.behave('coder', { ends: true });
  await assert.rejects(
    rig.acquire('coder'),
    unavailable(/does not know the architecture.*UnheardOf.*Upgrade vLLM/),
  );
  await rig.decided('coder', /^load: failed \(.*\) after \d+ s$/);
});

test('a model whose weights are not whole is refused at once, with what to do', async () => {
  await using rig = await supervised([{ name: 'coder' }]);
  await rig.restart(async () => await rm(path.join(rig.weights, 'coder', 'config.json')));
  await assert.rejects(
    rig.acquire('coder'),
    unavailable(/cannot be loaded: .*config\.json.*model verify coder/),
  );
  await eventually(
    async () => (await rig.model('coder')).weights === 'broken' || undefined,
    'that to be told',
  );
});

test('a load that takes too long is ended, and nothing of it stays', async () => {
  await using rig = await supervised([{ name: 'coder' }], { settings: { loadSeconds: 1 } });
  rig.behave('coder', { loadMs: 60_000 });
  await assert.rejects(rig.acquire('coder'), unavailable(/not ready within 1 s.*loadSeconds/));
  await eventually(async () => rig.engines().length === 0 || undefined, 'its end'); // whoever waited has heard of it before
});
