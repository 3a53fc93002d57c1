import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { engineQueue } from './queue.ts';

const LIMITS = { engine: 'gpu', concurrency: 1, queue: 10, maxWaitMs: 60_000 };
const never = () => new AbortController().signal;

test('requests for the model that is being served go first, the others by arrival', async () => {
  const enter = engineQueue(LIMITS);
  const served: string[] = [];
  const first = await enter('A', never());
  const rest = ['B1', 'A1', 'C1', 'B2', 'A2'].map(async (name) => {
    const leave = await enter(name.slice(0, 1), never());
    served.push(name);
    leave();
  });
  first();
  await Promise.all(rest);
  assert.deepEqual(served, ['A1', 'A2', 'B1', 'B2', 'C1']);
});

test('a full queue and a wait that is too long are refused with when to try again', async () => {
  const enter = engineQueue({ ...LIMITS, queue: 1, maxWaitMs: 30 });
  const leave = await enter('A', never());
  const waiting = enter('A', never());
  await assert.rejects(enter('A', never()), {
    code: 'ERR_ENGINE_BUSY',
    status: 429,
    message: /gpu is full: 1 requests wait/,
    details: { retryAfter: 1 },
  });
  await assert.rejects(waiting, { code: 'ERR_ENGINE_BUSY', message: /no place came free/ });
  leave();
  (await enter('A', never()))();
});

test('a client that goes leaves the queue', async () => {
  const enter = engineQueue({ ...LIMITS, queue: 1 });
  const leave = await enter('A', never());
  const gone = new AbortController();
  const waiting = enter('A', gone.signal);
  gone.abort(new Error('gone'));
  await assert.rejects(waiting, /gone/);
  const next = enter('A', never());
  leave();
  (await next)();
});

test('never more run at a time than the engine takes, and all come through', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.constantFrom('A', 'B', 'C'), { maxLength: 30 }),
      async (concurrency, models) => {
        const enter = engineQueue({ ...LIMITS, concurrency, queue: 100 });
        let running = 0;
        let most = 0;
        await Promise.all(
          models.map(async (model) => {
            const leave = await enter(model, never());
            most = Math.max(most, ++running);
            await Promise.resolve();
            running--;
            leave();
            leave(); // a second time gives nothing back
          }),
        );
        assert.ok(most <= concurrency);
      },
    ),
    { numRuns: 50 },
  );
});
