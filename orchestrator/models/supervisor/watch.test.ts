import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complete, eventually, kill, supervised } from './testing/supervised.ts';

test('an engine that is killed while it is used is started anew, and the request after it is answered', async () => {
  await using rig = await supervised([{ name: 'coder' }]);
  const place = await rig.acquire('coder');
  const [engine] = rig.engines();
  rig.behave('coder', { tokens: 1000, tokenMs: 50 });
  const answer = complete(place);
  kill(engine!.pid);
  await assert.rejects(answer);
  place.release();
  rig.behave('coder', {});
  await eventually(
    async () => (rig.engines().some(({ pid }) => pid !== engine!.pid) ? true : undefined),
    'another engine',
  );
  const again = await rig.acquire('coder');
  assert.match(await complete(again), /^coder/);
  again.release();
  await rig.decided('coder', /^restart: ended; loaded anew \d s after the failure$/);
});

test('an engine that has requests and brings no token is started anew', async () => {
  await using rig = await supervised([{ name: 'coder' }], { settings: { stuckSeconds: 2 } });
  const place = await rig.acquire('coder');
  const [engine] = rig.engines();
  rig.behave('coder', { stuck: true });
  await assert.rejects(complete(place), 'the request ends with its engine');
  place.release();
  rig.behave('coder', {});
  const again = await rig.acquire('coder');
  assert.match(await complete(again), /^coder/);
  again.release();
  assert.notEqual(rig.engines()[0]?.pid, engine!.pid);
});

test('what an engine tells of itself is told of the model', async () => {
  await using rig = await supervised([{ name: 'coder' }]);
  const place = await rig.acquire('coder');
  await complete(place);
  const { inFlight, figures } = await eventually(async () => {
    const model = await rig.model('coder');
    return (model.figures?.generatedTokens ?? 0) > 5 && model.inFlight === 1 ? model : undefined;
  }, 'figures');
  assert.equal(inFlight, 1);
  assert.ok(figures!.promptTokens > 0);
  place.release();
});
