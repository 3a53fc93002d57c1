import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../../test/support/database.ts';
import { listGpus } from './store.ts';
import { standInSmi } from './testing/stand-in-smi.ts';
import { startGpuWatch, type GpuWatchParts } from './watch.ts';
import type { Xid } from './xid.ts';

async function place(parts: Partial<GpuWatchParts> & { xids?: Xid[] } = {}) {
  const db = await testDatabase();
  const smi = standInSmi({ gpus: 'serving.txt', apps: 'serving-apps.txt' });
  const warnings: string[] = [];
  const xids = parts.xids ?? [];
  const watch = startGpuWatch({
    settings: { nvidiaSmi: smi.program },
    db: db.pool,
    own: () => new Set([41_200, 41_201]),
    warn: (message) => warnings.push(message),
    kernelLog: () => ({ xids: async () => xids.splice(0), close: () => {} }),
    ...parts,
  });
  const events = async () =>
    (
      await db.pool.query<{ kind: string; gpu: number }>(
        `select kind, (data->>'gpu')::int as gpu from event order by id`,
      )
    ).rows.map(({ kind, gpu }) => `${kind} ${gpu}`);
  /** Readings that began after now. */
  const look = async (times = 1) => {
    for (let at = 0; at <= times; at += 1) await watch.changed();
  };
  return {
    db: db.pool,
    smi,
    warnings,
    watch,
    events,
    look,
    async [Symbol.asyncDispose]() {
      await watch.stop();
      smi[Symbol.dispose]();
      await db[Symbol.asyncDispose]();
    },
  };
}

test('cards, their strangers and our share are told to the supervisor, and kept for all others', async () => {
  await using it = await place();
  assert.deepEqual(it.watch.cards(), []);
  await it.watch.changed();
  assert.deepEqual(it.watch.cards(), [
    { index: 0, totalMib: 24_564, foreignMib: 16, usable: true },
    { index: 1, totalMib: 24_564, foreignMib: 16, usable: true },
  ]);
  assert.deepEqual([...it.watch.usedMib(new Set([41_201]))], [[1, 21_870]]);
  const { gpus, problem } = await listGpus(it.db);
  assert.deepEqual([gpus, problem], [it.watch.gpus(), null]);
});

test('a card falls off the bus and comes back: it is not usable, then usable, each told once', async () => {
  await using it = await place();
  await it.watch.changed();
  it.smi.play({ gpus: 'lost-beside-rows.txt', apps: 'serving-apps.txt', exit: 15 });
  await it.look(2);
  assert.deepEqual(
    it.watch.cards().map(({ usable }) => usable),
    [true, false],
  );
  assert.match((await listGpus(it.db)).gpus[1]!.detail, /fallen off the bus/);
  it.smi.play({ gpus: 'serving.txt', apps: 'serving-apps.txt' });
  await it.look(3);
  assert.deepEqual(
    it.watch.cards().map(({ usable }) => usable),
    [true, true],
  );
  assert.deepEqual(await it.events(), ['gpu.lost 1', 'gpu.back 1']);
  assert.match(it.warnings[0]!, /^gpu\.lost: GPU 1: It has fallen off the bus/);
  assert.deepEqual(it.warnings.slice(1), ['gpu.back: GPU 1']);
});

test('an Xid of the kernel takes a card out of use', async () => {
  const xids: Xid[] = [];
  await using it = await place({ xids });
  await it.watch.changed();
  xids.push({ bus: '0000:31:00', code: 79, text: 'GPU has fallen off the bus.' });
  await it.look();
  assert.deepEqual(
    it.watch.cards().map(({ usable }) => usable),
    [false, true],
  );
  assert.equal(it.watch.gpus()[0]?.xid, 79);
});

test('without nvidia-smi there are no cards; what to do is told once, and they appear when it is there', async () => {
  await using it = await place();
  it.smi.play({ absent: true });
  await using other = await place({ settings: { nvidiaSmi: it.smi.program } });
  await other.look(2);
  assert.deepEqual(other.watch.cards(), []);
  assert.match((await listGpus(other.db)).problem!, /it is not there.*models\.local\.gpus/);
  assert.equal(other.warnings.length, 1);
  it.smi.play({ gpus: 'idle.txt' });
  await other.look();
  assert.equal(other.watch.cards().length, 2);
  assert.equal((await listGpus(other.db)).problem, null);
});

test('a driver that was upgraded under the running kernel is a warning: engines that run go on', async () => {
  await using it = await place();
  await it.watch.changed();
  it.smi.play({ gpus: 'mismatch.txt', exit: 18 });
  await it.look(4);
  assert.deepEqual(
    it.watch.cards().map(({ usable }) => usable),
    [true, true],
  );
  const { gpus, problem } = await listGpus(it.db);
  assert.match(gpus[0]!.detail, /upgraded.*Restart the machine/);
  assert.match(problem!, /version mismatch/);
  assert.deepEqual(await it.events(), ['gpu.warning 0', 'gpu.warning 1']);
  assert.equal(it.warnings.filter((text) => text.startsWith('The NVIDIA driver')).length, 1);
});

test('declared cards are told as they are, and nvidia-smi is not asked', async () => {
  await using it = await place({
    settings: { nvidiaSmi: '/none', gpus: [{ name: 'RTX A5000', totalMib: 24_564 }] },
  });
  await it.watch.changed();
  assert.deepEqual(it.watch.cards(), [{ index: 0, totalMib: 24_564, foreignMib: 0, usable: true }]);
  assert.deepEqual([it.smi.asked(), it.warnings], [[], []]);
  assert.equal((await listGpus(it.db)).gpus[0]?.name, 'RTX A5000');
});

test('where the driver lists no process of ours, what the engines were given counts', async () => {
  await using it = await place();
  await it.db.query(
    `insert into engine_instance (launch, model, kind, state, gpus, predicted_mib)
     values (gen_random_uuid(), 'm', 'vllm', 'ready', '[0,1]', 20000)`,
  );
  it.smi.play({ gpus: 'serving.txt' });
  await it.look();
  assert.deepEqual(
    it.watch.cards().map(({ foreignMib }) => foreignMib),
    [1_894, 1_886],
  );
  assert.deepEqual([...it.watch.usedMib(new Set([41_201]))], []);
});

test('the watch goes on while the database is away, and a stop lets nobody wait', async () => {
  await using it = await place();
  await it.watch.changed();
  await it.db.query('alter table gpu rename to gpu_away');
  it.smi.play({ gpus: 'idle.txt' });
  await it.look();
  assert.equal(it.watch.gpus()[0]?.usedMib, 2);
  assert.match(it.warnings[0]!, /could not be looked at/);
  await it.db.query('alter table gpu_away rename to gpu');
  await it.look();
  assert.equal((await listGpus(it.db)).gpus[0]?.usedMib, 2);
  const waiting = it.watch.changed();
  await it.watch.stop();
  await waiting;
});

test('what happened while no daemon ran is told by the next one; what nobody looks at any more is told as such', async () => {
  await using it = await place();
  await it.watch.changed();
  await it.watch.stop();
  it.smi.play({ gpus: 'one-of-two.txt' });
  const next = startGpuWatch({
    settings: { nvidiaSmi: it.smi.program },
    db: it.db,
    own: () => new Set(),
    warn: () => {},
    kernelLog: () => ({ xids: async () => [], close: () => {} }),
  });
  await next.changed();
  await next.stop();
  assert.deepEqual(await it.events(), ['gpu.lost 1', 'gpu.warning 0']);
  await it.db.query(`update gpu_watch set seen_at = now() - interval '2 minutes'`);
  const { gpus, problem } = await listGpus(it.db);
  assert.deepEqual([gpus.length, gpus[0]?.state], [1, 'lost']);
  assert.match(problem!, /Nobody has looked at it since/);
});
