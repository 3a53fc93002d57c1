// Reports against cases computed by hand: time zones and changes of the clock, merged changes, idle GPUs, empty periods.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { GROUPINGS, type UsageGrouping } from '../../protocol/budget.ts';
import { testDatabase } from '../../test/support/database.ts';
import { transaction, type Database } from '../db/connect.ts';
import { aProject, aTask } from '../tasks/testing/work.ts';
import { writeCharges } from './charge.ts';
import { LocalModels } from '../config/local-model-settings.ts';
import { gpuEngines, type GpuEngine } from './idle.ts';
import { makeReport } from './report.ts';
import { charge } from './testing/books.ts';

const BERLIN = { timeZone: 'Europe/Berlin', currency: 'EUR', gpus: [] as GpuEngine[] };
const GPU: GpuEngine = { name: 'gpu', gpus: 2, pricePerHour: 3, since: '2025-01-01' };
const HOUR = 3_600_000;

/** So much money and GPU time on a day, by project, task, model and cause. */
async function used(
  db: Database,
  day: string,
  money: number,
  { project = 'shop', task = 1, model = 'gpu/qwen', cause = 'agent', gpu = 0 } = {},
): Promise<void> {
  await db.query(
    `insert into usage_day values ($1, $2, $3, 'codex', $4, 'w', 'ann', $5, 1, 100, 40, 10, 0, $6, $7)`,
    [day, project, task, model, cause, money, gpu],
  );
}

test('a sum by hand: the period, the one before, what the platform caused', async () => {
  await using db = await testDatabase();
  await used(db.pool, '2025-04-30', 999);
  await used(db.pool, '2025-05-01', 100);
  await used(db.pool, '2025-05-01', 20, { cause: 'retry' });
  await used(db.pool, '2025-05-03', 3, { cause: 'platform', project: 'web' });
  await used(db.pool, '2025-05-04', 7);
  const period = { from: '2025-05-01', to: '2025-05-03' };
  const report = await makeReport(db.pool, { ...period, by: 'project' }, BERLIN);
  assert.deepEqual(
    report.rows.map(({ key, money, platformMoney, calls }) => ({ key, money, platformMoney, calls })),
    [
      { key: 'shop', money: 120, platformMoney: 20, calls: 2 },
      { key: 'web', money: 3, platformMoney: 3, calls: 1 },
    ],
  );
  assert.deepEqual(report.days, [
    { day: '2025-05-01', money: 120 },
    { day: '2025-05-02', money: 0 },
    { day: '2025-05-03', money: 3 },
  ]);
  assert.deepEqual(report.dearest, [
    { key: 'shop', money: [120, 0, 0] },
    { key: 'web', money: [0, 0, 3] },
  ]);
  const { previous, total, forecast } = report;
  assert.deepEqual([previous.from, previous.to, previous.total.money], ['2025-04-28', '2025-04-30', 999]);
  assert.deepEqual([total.money, total.platformMoney, total.inputTokens, forecast], [123, 23, 300, null]);
  const web = await makeReport(db.pool, { ...period, by: 'day', project: 'web' }, BERLIN);
  assert.deepEqual([web.total.money, web.rows.length], [3, 1]);
});

test('a period without anything is all zeros, and costs nothing for each of no changes', async () => {
  await using db = await testDatabase();
  const report = await makeReport(db.pool, { from: '2025-02-01', to: '2025-02-28', by: 'agent' }, BERLIN);
  assert.deepEqual([report.rows, report.days.length, report.idle], [[], 28, []]);
  assert.deepEqual([report.total.money, report.total.calls], [0, 0]);
  assert.deepEqual(report.merged, { changes: 0, money: null, over: [] });
  const future = { from: '2099-01-01', to: '2099-01-31' };
  const then = await makeReport(db.pool, { ...future, by: 'agent' }, { ...BERLIN, gpus: [GPU] });
  assert.deepEqual(
    [then.forecast, then.idle],
    [null, [{ engine: 'gpu', gpus: 2, busy: 0, idle: 0, money: 0 }]],
  );
});

test('a call counts on the day that it is where the books are kept', async () => {
  for (const timeZone of ['Pacific/Kiritimati', 'Pacific/Pago_Pago', 'Europe/Berlin']) {
    await using db = await testDatabase();
    const books = { timeZone, currency: 'EUR', gpus: [] };
    const today = () => new Intl.DateTimeFormat('sv', { timeZone }).format(new Date());
    const before = today();
    await transaction(db.pool, async (tx) => await writeCharges(tx, [charge({ money: 5 })], books));
    const { rows, to } = await makeReport(db.pool, { by: 'day' }, books);
    assert.ok([before, today()].includes(rows[0]!.key), timeZone);
    assert.ok([before, today()].includes(to), timeZone);
    assert.equal(rows[0]!.money, 5);
  }
});

test('idle time is what is left of days of 23, 24 and 25 hours; it is priced without energy, in no sum', async () => {
  await using db = await testDatabase();
  const idleOn = async (day: string, gpus = [GPU]) =>
    (await makeReport(db.pool, { from: day, to: day, by: 'project' }, { ...BERLIN, gpus })).idle[0]!;
  for (const [day, hours] of [
    ['2025-03-30', 23],
    ['2025-03-31', 24],
    ['2025-10-26', 25],
  ] as const) {
    const all = { engine: 'gpu', gpus: 2, busy: 0, idle: 2 * hours * HOUR, money: 2 * hours * 3_000_000 };
    assert.deepEqual(await idleOn(day), all, day);
  }
  await used(db.pool, '2025-03-30', 4_000_000, { gpu: 6 * HOUR });
  await used(db.pool, '2025-03-30', 1, { gpu: HOUR, model: 'gpu2/qwen' });
  const day = await idleOn('2025-03-30');
  assert.deepEqual([day.busy, day.idle, day.money], [6 * HOUR, 40 * HOUR, 120_000_000]);
  const summer = await makeReport(
    db.pool,
    { from: '2025-03-29', to: '2025-03-30', by: 'project' },
    { ...BERLIN, gpus: [GPU] },
  );
  assert.deepEqual([summer.idle[0]!.idle, summer.total.money], [(2 * 47 - 6) * HOUR, 4_000_001]);
  const later = await idleOn('2025-03-30', [{ ...GPU, since: '2025-04-01' }]);
  assert.equal(later.idle, 0, 'nothing is paid for before its first day');
  assert.equal(
    (await idleOn('2020-01-01', [{ ...GPU, since: undefined }])).idle,
    0,
    'nor before there was one',
  );
  const query = { from: '2025-03-30', to: '2025-03-30', by: 'project', project: 'shop' } as const;
  assert.deepEqual((await makeReport(db.pool, query, { ...BERLIN, gpus: [GPU] })).idle, []);
});

test('a task with changes in two repositories costs once, shared by them, in whatever period each is merged', async () => {
  await using db = await testDatabase();
  const project = await aProject(db.pool, 'shop', {}, ['api', 'web']);
  await db.pool.query(
    `insert into worker (name, host, version, capacity, state) values ('w', 'h', '1', 1, 'online')`,
  );
  const merged = async (mergedAt: (string | null)[]) => {
    const { id: task } = await aTask(db.pool, 'shop');
    const run = `${task}-1`;
    await db.pool.query(
      `insert into run (id, task, fence, state, worker, claim_id, agent, model, isolation, deadline)
       values ($1, $2, 1, 'succeeded', 'w', gen_random_uuid(), 'a', 'm', 'directory', now())`,
      [run, task],
    );
    for (const [index, at] of mergedAt.entries())
      await db.pool.query(
        `insert into change (task, repository, run, forge, branch, base_branch, base_commit, head_commit, title, body, state, closed_at)
         values ($1, $2, $3, 'local', 'b', 'main', 'x', 'y', 't', '', $4, $5)`,
        [task, project.repositories[index]!.id, run, at === null ? 'open' : 'merged', at],
      );
    return task;
  };
  // 23:30 in UTC is the next day in Berlin, also on the one whose clock changes.
  const both = await merged(['2025-03-29T23:30:00Z', '2025-03-30T12:00:00Z']);
  const apart = await merged(['2025-03-30T12:00:00Z', '2025-03-31T12:00:00Z']);
  const open = await merged([null]);
  await used(db.pool, '2025-03-01', 600, { task: both });
  await used(db.pool, '2025-03-31', 400, { task: both });
  await used(db.pool, '2025-03-30', 500, { task: apart });
  await used(db.pool, '2025-03-30', 90_000, { task: open });
  const on = async (from: string, to: string) =>
    (await makeReport(db.pool, { from, to, by: 'task' }, BERLIN)).merged;
  const sunday = { changes: 3, money: Math.round((1000 + 250) / 3) };
  const monday = { changes: 1, money: 250 };
  assert.deepEqual(await on('2025-03-29', '2025-03-29'), { changes: 0, money: null, over: [] });
  assert.deepEqual(await on('2025-03-30', '2025-03-30'), {
    ...sunday,
    over: [{ from: '2025-03-30', ...sunday }],
  });
  assert.deepEqual(await on('2025-03-30', '2025-03-31'), {
    changes: 4,
    money: 375,
    over: [
      { from: '2025-03-30', ...sunday },
      { from: '2025-03-31', ...monday },
    ],
  });
  assert.deepEqual((await on('2025-02-01', '2025-04-30')).over, [
    { from: '2025-03-24', ...sunday },
    { from: '2025-03-31', ...monday },
  ]);
});

test('whatever was used: every grouping sums up to the total, and two halves of a period to the whole', async () => {
  await using db = await testDatabase();
  const day = fc
    .integer({ min: 1, max: 20 })
    .map((number) => `2025-03-${String(number + 11).padStart(2, '0')}`);
  const use = fc.record({
    day,
    money: fc.nat(1e9),
    project: fc.constantFrom('shop', 'web', ''),
    task: fc.nat(3),
    model: fc.constantFrom('gpu/qwen', 'cloud/big'),
    cause: fc.constantFrom('agent', 'retry', 'platform'),
  });
  const keyOf = (each: { day: string; project: string; task: number; model: string; cause: string }) =>
    [each.day, each.project, each.task, each.model, each.cause].join();
  const uses = fc.uniqueArray(use, { selector: keyOf, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(uses, fc.integer({ min: 13, max: 30 }), async (all, middle) => {
      await db.pool.query('truncate usage_day');
      for (const { day: on, money, ...more } of all) await used(db.pool, on, money, more);
      const over = async (from: number, to: number, by: UsageGrouping = 'day') =>
        await makeReport(db.pool, { from: `2025-03-${from}`, to: `2025-03-${to}`, by }, BERLIN);
      const whole = all.reduce((sum, { money }) => sum + money, 0);
      for (const by of GROUPINGS) {
        const { rows, total, days } = await over(12, 31, by);
        assert.equal(total.money, whole);
        for (const parts of [rows, days])
          assert.equal(
            parts.reduce((sum, { money }) => sum + money, 0),
            whole,
            by,
          );
      }
      const halves = [await over(12, middle), await over(middle + 1, 31)];
      assert.equal(halves[0]!.total.money + halves[1]!.total.money, whole);
      assert.equal(
        halves[0]!.total.platformMoney + halves[1]!.total.platformMoney,
        (await over(12, 31)).total.platformMoney,
      );
    }),
    { numRuns: 20 },
  );
});

test('only engines of the configuration that run on GPUs of your own have idle time, and those GPUs themselves', async () => {
  const common = { protocols: ['chat' as const], queue: 1, queueSeconds: 1, models: [{ name: 'm' }] };
  const gpu = { count: 2, pricePerHour: 3, watts: 400, pricePerKwh: 0.3, since: '2025-01-01' };
  const engines: Parameters<typeof gpuEngines>[0]['engines'] = [
    { kind: 'upstream', name: 'gpu', url: 'http://10.0.0.5', ...common, gpu },
    { kind: 'upstream', name: 'cloud', url: 'https://api.example.com', ...common },
    { kind: 'replay', name: 'recorded', recording: 'x', protocols: ['chat'], models: [] },
  ];
  assert.deepEqual(gpuEngines({ engines }), [GPU]);
  const local = LocalModels.parse({ gpu: { pricePerHour: 3, since: '2025-01-01' } });
  const own = gpuEngines({ engines: [], local });
  assert.deepEqual(own, [{ ...GPU, name: 'local', gpus: null }]);

  await using db = await testDatabase();
  await db.pool.query(`insert into gpu (index, seen_at, reading) values (0, now(), '{}'), (1, now(), '{}')`);
  const day = { from: '2025-03-12', to: '2025-03-12', by: 'day' } as const;
  const { idle } = await makeReport(db.pool, day, { ...BERLIN, gpus: own });
  assert.deepEqual(idle, [
    { engine: 'local', gpus: 2, busy: 0, idle: 2 * 86_400_000, money: 2 * 24 * 3_000_000 },
  ]);
});
