import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complete, eventually, kill, supervised } from './testing/supervised.ts';

test('a supervisor that starts adopts the engines that run, within two seconds', async () => {
  await using rig = await supervised([{ name: 'coder' }, { name: 'reasoner' }], { cards: 2 });
  for (const name of ['coder', 'reasoner']) (await rig.acquire(name)).release();
  const engines = rig.engines();
  assert.equal(engines.length, 2);
  await rig.restart();
  const began = performance.now();
  const place = await rig.acquire('coder');
  assert.match(await complete(place), /^coder/);
  assert.ok(performance.now() - began < 2_000);
  place.release();
  assert.deepEqual(rig.engines(), engines);
  await rig.decided('coder', /^adopt: ready after \d+ ms$/);
});

test('an engine whose handle was not kept any more is found by its launch', async () => {
  await using rig = await supervised([{ name: 'coder' }]);
  (await rig.acquire('coder')).release();
  const engines = rig.engines();
  await rig.restart(() => rig.db.pool.query(`update engine_instance set handle = '{}', state = 'loading'`));
  const place = await rig.acquire('coder');
  assert.match(await complete(place), /^coder/);
  place.release();
  assert.deepEqual(rig.engines(), engines);
});

test('an engine that ended without a daemon is told of and started anew', async () => {
  await using rig = await supervised([{ name: 'coder' }]);
  (await rig.acquire('coder')).release();
  const [engine] = rig.engines();
  await rig.restart(async () => {
    kill(engine!.pid);
    await eventually(async () => rig.engines().length === 0 || undefined, 'its end');
  });
  const place = await rig.acquire('coder');
  assert.match(await complete(place), /^coder/);
  place.release();
  await rig.decided('coder', /^adopt: it had failed: /);
});

test('a launch of which nothing runs does not stand in the way of the next', async () => {
  await using rig = await supervised([{ name: 'coder' }]);
  await rig.restart(() =>
    rig.db.pool.query(
      `insert into engine_instance (launch, model, kind, state, gpus) values (gen_random_uuid(), 'coder', 'vllm', 'loading', '[0]')`,
    ),
  );
  assert.equal((await rig.model('coder')).state, 'failed');
  (await rig.acquire('coder')).release();
});

test('an engine of a model that is not in the catalogue any more is ended', async () => {
  await using rig = await supervised([{ name: 'coder' }, { name: 'old' }]);
  (await rig.acquire('old')).release();
  await rig.restart(async () => rig.models.splice(1, 1));
  const place = await rig.acquire('coder');
  place.release();
  assert.deepEqual(
    rig.engines().map(({ model }) => model),
    ['coder'],
  );
  assert.equal(rig.overcommitted(), '');
});
