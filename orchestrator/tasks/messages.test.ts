import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { DeliveryInput } from '../../protocol/message.ts';
import { cancelTask } from './cancel.ts';
import { finishRun } from './finish.ts';
import { signals } from './lease.ts';
import { listMessages, noteDelivery, sendMessage } from './messages.ts';
import { retryTask } from './retry.ts';
import { sweep } from './sweep.ts';
import { aRun, claim, expireLeases, HEADS, POLICY, report, SWEEP } from './testing/work.ts';

const said = (text: string) => ({ author: 'ann', text });
const delivery = (fence: number, delivered: number, last = false) =>
  DeliveryInput.parse({ fence, delivered, last });

test('messages come to the runner in their order, and only those after the last it has', async () => {
  await using db = await testDatabase();
  const { run } = await aRun(db.pool);
  assert.deepEqual((await signals(db.pool, run, 1, 0)).messages, []);
  for (const text of ['one', 'two', 'three']) await sendMessage(db.pool, 1, said(text));
  const texts = async (after: number) =>
    (await signals(db.pool, run, 1, after)).messages.map(({ number, text }) => `${number} ${text}`);
  assert.deepEqual(await texts(0), ['1 one', '2 two', '3 three']);
  assert.deepEqual(await texts(2), ['3 three']);
  assert.deepEqual((await signals(db.pool, run, 1)).messages, [], 'a runner that knows of none gets none');
});

test('messages that are sent at once get numbers without a gap', async () => {
  await using db = await testDatabase();
  await aRun(db.pool);
  const sent = await Promise.all(
    Array.from({ length: 10 }, async (_, at) => await sendMessage(db.pool, 1, said(`${at}`))),
  );
  const numbers = sent.map(({ number }) => number).toSorted((one, other) => one - other);
  assert.deepEqual(numbers, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test('an acknowledgement may be repeated; it tells the run, and answers what came meanwhile', async () => {
  await using db = await testDatabase();
  const { run } = await aRun(db.pool);
  await sendMessage(db.pool, 1, said('one'));
  await sendMessage(db.pool, 1, said('two'));
  for (let i = 0; i < 2; i++) {
    const left = await noteDelivery(db.pool, run, delivery(1, 1));
    assert.deepEqual(
      left.map(({ text }) => text),
      ['two'],
    );
  }
  assert.deepEqual(
    (await listMessages(db.pool, 1)).map((each) => each.run),
    [run, null],
  );
  await assert.rejects(noteDelivery(db.pool, run, delivery(2, 1)), { code: 'ERR_STALE_FENCE' });
});

test('the agent of a run that follows on a lost one gets every message, delivered before or not', async () => {
  await using db = await testDatabase();
  const { run } = await aRun(db.pool);
  await sendMessage(db.pool, 1, said('delivered'));
  await noteDelivery(db.pool, run, delivery(1, 1));
  await sendMessage(db.pool, 1, said('not acknowledged'));
  await expireLeases(db.pool);
  await sweep(db.pool, SWEEP);
  await sendMessage(db.pool, 1, said('while it waits'));
  await db.pool.query('update task set not_before = now()');
  await sweep(db.pool, SWEEP);
  const order = (await claim(db.pool))!;
  assert.deepEqual(
    order.messages.map(({ number, text }) => [number, text]),
    [
      [1, 'delivered'],
      [2, 'not acknowledged'],
      [3, 'while it waits'],
    ],
  );
  await noteDelivery(db.pool, order.run, delivery(2, 3));
  assert.deepEqual(
    (await listMessages(db.pool, 1)).map((each) => each.run),
    ['1-1', '1-2', '1-2'],
  );
});

test('a task that has ended takes no message, and says what to do; when it is tried again it does', async () => {
  await using db = await testDatabase();
  await aRun(db.pool);
  await assert.rejects(sendMessage(db.pool, 9, said('x')), { code: 'ERR_NOT_FOUND' });
  await cancelTask(db.pool, 1, 'ann');
  await assert.rejects(sendMessage(db.pool, 1, said('x')), /Run 1-1 is being cancelled/);
  await finishRun(db.pool, '1-1', report({ fence: 1 }, { outcome: 'cancelled' }), POLICY);
  await assert.rejects(sendMessage(db.pool, 1, said('x')), {
    code: 'ERR_STATE',
    remedy: 'Give it another run with `autocode task retry 1`, and send the message then.',
  });
  await retryTask(db.pool, 1);
  await sendMessage(db.pool, 1, said('x'));
  assert.equal((await claim(db.pool))?.messages.length, 1);
});

test('a run whose agent is done takes none, unless one came meanwhile: that one is answered', async () => {
  await using db = await testDatabase();
  const { run } = await aRun(db.pool);
  await sendMessage(db.pool, 1, said('just in time'));
  assert.equal((await noteDelivery(db.pool, run, delivery(1, 0, true))).length, 1);
  await sendMessage(db.pool, 1, said('and another'));
  assert.deepEqual(await noteDelivery(db.pool, run, delivery(1, 2, true)), []);
  await assert.rejects(sendMessage(db.pool, 1, said('too late')), {
    code: 'ERR_STATE',
    message: 'Run 1-1 has its result: its agent is done; it is too late for a message.',
  });
  await finishRun(db.pool, run, report({ fence: 1 }, { outcome: 'verified', headCommits: HEADS }), POLICY);
  await assert.rejects(sendMessage(db.pool, 1, said('too late')), { code: 'ERR_STATE' });
});

test('of a message that is sent while the run closes, either side knows: it is refused, or the runner has it', async () => {
  await using db = await testDatabase();
  const { run } = await aRun(db.pool);
  for (let round = 0; round < 20; round++) {
    await db.pool.query('update run set steerable = true');
    const before = (await listMessages(db.pool, 1)).length;
    const [sent, left] = await Promise.all([
      sendMessage(db.pool, 1, said('now')).then(
        () => 1,
        () => 0,
      ),
      noteDelivery(db.pool, run, delivery(1, before, true)),
    ]);
    assert.equal(left.length, sent);
  }
});
