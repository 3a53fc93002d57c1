import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LocalModel } from '../../../protocol/local-model.ts';
import { addReplica, newMember, type Fleet } from './fleet.ts';
import { step } from './orders.ts';
import { complete, eventually, supervised } from './testing/supervised.ts';

test('load waits until the model is ready, two at once are one, and a ready one is left as it is', async () => {
  await using rig = await supervised([{ name: 'coder' }]);
  const [first, second] = await Promise.all([rig.ordered('coder', 'load'), rig.ordered('coder', 'load')]);
  assert.match(first.detail, /^Ready on GPU 0 after \d+ s\.$/);
  assert.equal(second.state, 'done');
  assert.equal(rig.engines().length, 1);
  const [engine] = rig.engines();
  const third = await rig.ordered('coder', 'load');
  assert.deepEqual([third.state, third.detail], ['done', 'It is ready on GPU 0 already.']);
  assert.deepEqual(rig.engines(), [engine]);
});

test('a load that fails is answered with why, and with what to do', async () => {
  await using rig = await supervised([{ name: 'coder' }]);
  rig.behave('coder', { ends: true });
  const { state, detail, remedy } = await rig.ordered('coder', 'load');
  assert.equal(state, 'failed');
  assert.match(`${detail} ${remedy}`, /does not know the architecture.*Upgrade vLLM/);
  rig.behave('coder', {});
  assert.equal((await rig.ordered('coder', 'load')).state, 'done', 'people need not wait for a pause');
});

test('an unloaded model stays away though it is pinned, until it is loaded again', async () => {
  await using rig = await supervised([{ name: 'coder', load: 'pinned' }]);
  await rig.until('coder', 'ready');
  const { detail } = await rig.ordered('coder', 'unload');
  assert.match(detail, /^Unloaded\. It is not pinned until it is loaded again or the daemon starts anew\.$/);
  assert.deepEqual(rig.engines(), []);
  assert.equal((await rig.ordered('coder', 'unload')).detail, 'It is not loaded.');
  assert.equal((await rig.ordered('coder', 'load')).state, 'done');
});

test('an unload waits for requests in flight, and lets no new ones in meanwhile', async () => {
  await using rig = await supervised([{ name: 'coder' }]);
  const place = await rig.acquire('coder');
  const unload = rig.ordered('coder', 'unload');
  await eventually(async () => {
    const refused = await rig.supervisor
      .acquire('coder', { wait: false, signal: new AbortController().signal })
      .then(({ release }) => release())
      .catch((error: Error & { code?: string }) => error.code);
    return refused === 'ERR_ENGINE_BUSY' ? true : undefined;
  }, 'requests to wait');
  assert.match(await complete(place), /^coder/);
  place.release();
  assert.equal((await unload).state, 'done');
});

test('an unload ends a load that is under way', async () => {
  await using rig = await supervised([{ name: 'coder' }]);
  rig.behave('coder', { loadMs: 60_000 });
  const load = await rig.command('coder', 'load');
  await rig.until('coder', 'loading');
  assert.equal((await rig.ordered('coder', 'unload')).state, 'done');
  assert.deepEqual(rig.engines(), []);
  await eventually(async () => {
    const { rows } = await rig.db.pool.query('select state from model_command where id = $1', [load.id]);
    return (rows[0] as { state: string }).state === 'failed' ? true : undefined;
  }, 'the load to be answered');
});

test('sleep frees the card, wake brings the model back in the same process', async () => {
  await using rig = await supervised([{ name: 'coder' }, { name: 'reasoner' }]);
  assert.match((await rig.ordered('coder', 'wake')).detail, /not loaded/);
  await rig.ordered('coder', 'load');
  const [engine] = rig.engines();
  assert.equal((await rig.ordered('coder', 'sleep')).state, 'done');
  assert.equal((await rig.model('coder')).state, 'asleep');
  assert.match((await rig.ordered('coder', 'sleep')).detail, /already/);
  assert.equal((await rig.ordered('coder', 'wake')).state, 'done');
  assert.deepEqual(rig.engines(), [engine]);
  const place = await rig.acquire('coder');
  assert.match(await complete(place), /^coder/);
  place.release();
});

test('a model that does not sleep says what to do instead', async () => {
  await using rig = await supervised([{ name: 'coder', sleepLevel: 0 }]);
  const { state, detail, remedy } = await rig.ordered('coder', 'sleep');
  assert.deepEqual([state, detail], ['failed', 'Its sleepLevel is 0.']);
  assert.match(remedy ?? '', /model unload coder/);
});

test('a model that has no room beside a pinned one is not waited for in vain', async () => {
  await using rig = await supervised([{ name: 'coder', load: 'pinned' }, { name: 'reasoner' }]);
  await rig.until('coder', 'ready');
  const { state, detail, remedy } = await rig.ordered('reasoner', 'load');
  assert.equal(state, 'failed');
  assert.match(`${detail} ${remedy}`, /does not fit beside coder, which is pinned.*model unload coder/);
  await rig.ordered('coder', 'unload');
  assert.equal((await rig.ordered('reasoner', 'load')).state, 'done');
});

test('an engine that does not end is not waited for without end', () => {
  const member = newMember(LocalModel.parse({ name: 'coder', path: 'coder' }));
  addReplica(member, {
    launch: 'l',
    index: 0,
    placement: { gpus: [0], mib: 1 },
    state: 'stopping',
    busy: true,
  });
  const unload = (waited: number) =>
    step({} as Fleet, member, {
      model: 'coder',
      action: 'unload',
      actor: 'ann',
      isNew: false,
      since: Date.now() - waited,
    });
  assert.equal(unload(100_000).state, 'waiting');
  const { state, detail, remedy } = unload(121_000);
  assert.equal(state, 'failed');
  assert.match(`${detail} ${remedy}`, /does not end: it was waited for 121 s.*model why coder/);
});
