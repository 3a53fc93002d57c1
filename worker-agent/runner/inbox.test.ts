import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openInbox } from './inbox.ts';

const message = (number: number) => ({
  number,
  author: 'ann',
  text: `say ${number}`,
  at: '2026-11-20T10:00:00Z',
});

test('each message is taken once, in its order, however often it comes', () => {
  const inbox = openInbox([message(1), message(2)]);
  assert.deepEqual(
    inbox.take().map(({ number }) => number),
    [1, 2],
  );
  assert.ok(inbox.isEmpty());
  inbox.add([message(1), message(2), message(3)]);
  inbox.add([message(3), message(4)]);
  assert.deepEqual(
    inbox.take().map(({ number }) => number),
    [3, 4],
  );
  assert.deepEqual(inbox.take(), []);
  assert.equal(inbox.last(), 4);
});

test('an arrival is told while somebody listens, a repetition is not', () => {
  const inbox = openInbox([]);
  let told = 0;
  const forget = inbox.onArrival(() => told++);
  inbox.add([message(1)]);
  inbox.add([message(1)]);
  assert.equal(told, 1);
  forget();
  inbox.add([message(2)]);
  assert.equal(told, 1);
});
