import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import type { Database } from '../db/connect.ts';
import { stopListening } from '../db/notifications.ts';
import { finishRun } from './finish.ts';
import { getRun, getTask } from './queries.ts';
import { Scheduler, type SchedulerOptions } from './scheduler.ts';
import { submissionEmpty } from './submission-state.ts';
import {
  aProject,
  aRun,
  aTask,
  aWorker,
  claim,
  COMMIT,
  HEADS,
  expireLeases,
  POLICY,
  report,
  SWEEP,
} from './testing/work.ts';

const quiet = { info() {}, warn() {}, error() {} };

/** A scheduler that stops with the test. */
function scheduler(db: Database, more: Partial<SchedulerOptions> = {}) {
  const service = new Scheduler({
    db,
    policy: POLICY,
    scheduling: SWEEP.scheduling,
    timeZone: 'UTC',
    startupGraceSeconds: 0,
    submit: async () => {},
    giveUp: async () => {},
    chores: [],
    log: quiet,
    ...more,
  });
  service.start();
  return Object.assign(service, {
    async [Symbol.asyncDispose]() {
      await service.stop();
      await stopListening(db);
    },
  });
}

/** Something that a test waits for, and who says that it happened. */
function signal<T>() {
  const target = new EventTarget();
  const happened = once(target, 'it').then(([event]) => (event as CustomEvent<T>).detail);
  return { happened, say: (detail: T) => void target.dispatchEvent(new CustomEvent('it', { detail })) };
}

async function verifiedRun(db: Database): Promise<string> {
  const order = await aRun(db);
  await finishRun(db, order.run, report(order, { outcome: 'verified', headCommits: HEADS }), POLICY);
  return order.run;
}

test(
  'what an earlier process left is submitted, and what is verified later at once',
  { timeout: 20_000 },
  async () => {
    await using db = await testDatabase();
    const left = await verifiedRun(db.pool);
    const [first, second] = [signal<string>(), signal<string>()];
    const submit = async (run: string) => {
      await submissionEmpty(db.pool, run);
      (run === left ? first : second).say(run);
    };
    await using service = scheduler(db.pool, { submit });
    service.start();
    assert.equal(await first.happened, left);
    await aTask(db.pool);
    const order = (await claim(db.pool))!;
    const verified = performance.now();
    await finishRun(db.pool, order.run, report(order, { outcome: 'verified', headCommits: HEADS }), POLICY);
    assert.equal(await second.happened, order.run);
    assert.ok(performance.now() - verified < 1_500, 'woken, not polled');
  },
);

test(
  'a submission that breaks off says why and leaves the run to another try',
  { timeout: 20_000 },
  async () => {
    await using db = await testDatabase();
    const run = await verifiedRun(db.pool);
    const failed = signal<string>();
    await using service = scheduler(db.pool, {
      submit: async () => Promise.reject(new Error('the forge is away')),
      log: { ...quiet, error: failed.say },
    });
    assert.match(await failed.happened, /run 1-1 .*try 1 .*the forge is away/);
    await service.stop();
    const { state, reason } = await getRun(db.pool, run);
    assert.equal(state, 'submitting');
    assert.match(reason!, /the forge is away/);
  },
);

test('two submissions at a time at most, each run once', { timeout: 20_000 }, async () => {
  await using db = await testDatabase();
  await aWorker(db.pool);
  for (let i = 0; i < 6; i++) {
    await aProject(db.pool, `p${i}`);
    await aTask(db.pool, `p${i}`);
    const order = (await claim(db.pool))!;
    const headCommits = [{ repository: order.repositories[0]!.id, commit: COMMIT }];
    await finishRun(db.pool, order.run, report(order, { outcome: 'verified', headCommits }), POLICY);
  }
  const all = signal<null>();
  const seen: string[] = [];
  let atOnce = 0;
  let most = 0;
  await using _service = scheduler(db.pool, {
    submit: async (run) => {
      seen.push(run);
      most = Math.max(most, ++atOnce);
      await submissionEmpty(db.pool, run);
      atOnce--;
      if (seen.length === 6) all.say(null);
    },
  });
  await all.happened;
  assert.deepEqual([new Set(seen).size, most], [6, 2]);
});

test('leases are swept after the grace, not before', { timeout: 20_000 }, async () => {
  await using db = await testDatabase();
  await aRun(db.pool);
  await expireLeases(db.pool);
  const chore = signal<null>();
  const patient = scheduler(db.pool, {
    startupGraceSeconds: 60,
    chores: [{ name: 'c', everySeconds: 60, run: async () => chore.say(null) }],
  });
  await chore.happened;
  await patient.stop();
  assert.equal((await getTask(db.pool, 1)).state, 'running');
  const swept = signal<string>();
  await using _service = scheduler(db.pool, { log: { ...quiet, info: swept.say } });
  assert.match(await swept.happened, /1 lost/);
});

test('a chore that fails is logged and tried again, and the sweep goes on', { timeout: 20_000 }, async () => {
  await using db = await testDatabase();
  const tried = signal<number>();
  let tries = 0;
  await using _service = scheduler(db.pool, {
    chores: [
      {
        name: 'chore',
        everySeconds: 0.01,
        run: async () => {
          if (++tries === 3) tried.say(tries);
          throw new Error('no');
        },
      },
    ],
  });
  assert.equal(await tried.happened, 3);
});
