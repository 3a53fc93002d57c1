import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complete, supervised } from './testing/supervised.ts';

test('a request loads its model, is answered, and what was done is on record', async () => {
  await using rig = await supervised([{ name: 'coder' }]);
  assert.equal((await rig.model('coder')).state, 'unloaded');
  const place = await rig.acquire('coder');
  assert.match(await complete(place), /^coder coder/);
  assert.equal(place.gpus, 1);
  place.release();
  const { state, gpus, pid, predictedMib, weights } = await rig.model('coder');
  assert.deepEqual({ state, gpus, weights }, { state: 'ready', gpus: [0], weights: 'here' });
  assert.deepEqual(rig.engines(), [{ model: 'coder', pid }]);
  assert.equal(predictedMib, Math.floor(0.9 * 8192));
  await rig.decided('coder', /^load: ready after \d+ s$/);
});

test('models that do not fit together change places when the other one is waited for, and no card is over-committed', async () => {
  await using rig = await supervised([{ name: 'coder' }, { name: 'reasoner' }]);
  for (const name of ['coder', 'reasoner', 'coder']) {
    const place = await rig.acquire(name);
    assert.match(await complete(place), new RegExp(`^${name} `));
    place.release();
  }
  assert.equal(rig.overcommitted(), '');
  assert.deepEqual(
    rig.engines().map(({ model }) => model),
    ['coder'],
  );
});

test('requests in flight keep a model on its GPU until they have ended', async () => {
  await using rig = await supervised([{ name: 'coder' }, { name: 'reasoner' }]);
  const place = await rig.acquire('coder');
  const other = rig.acquire('reasoner');
  await rig.until('coder', 'ready');
  assert.match(await complete(place), /^coder/);
  place.release();
  const swapped = await other;
  assert.match(await complete(swapped), /^reasoner/);
  swapped.release();
  assert.equal(rig.overcommitted(), '');
});

test('two models on two cards are loaded side by side, a pinned one without being asked for', async () => {
  await using rig = await supervised([{ name: 'coder', load: 'pinned' }, { name: 'reasoner' }], { cards: 2 });
  await rig.until('coder', 'ready');
  const place = await rig.acquire('reasoner');
  const [coder, reasoner] = [await rig.model('coder'), await rig.model('reasoner')];
  assert.notDeepEqual(coder.gpus, reasoner.gpus);
  place.release();
});
