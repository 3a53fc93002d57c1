import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { CARD_MIB } from './testing/local-models.ts';
import { eventually, kill, supervised, type Supervised } from './testing/supervised.ts';

const NAMES = ['coder', 'reasoner', 'small', 'embedder'];
const MODELS = [
  { name: 'coder' },
  { name: 'reasoner', load: 'preloaded' as const },
  { name: 'small', shared: true, sequences: 1 },
  { name: 'embedder', shared: true, sequences: 1, load: 'pinned' as const },
];
const WAIT_SECONDS = 3;

const steps = fc.array(
  fc.record({
    what: fc.oneof(
      { weight: 6, arbitrary: fc.constant('request' as const) },
      { weight: 3, arbitrary: fc.constantFrom('load', 'unload', 'sleep', 'wake') },
      { weight: 2, arbitrary: fc.constantFrom('kill', 'leave', 'restart') },
    ),
    model: fc.constantFrom(...NAMES),
    ms: fc.integer({ min: 0, max: 400 }),
  }),
  { minLength: 8, maxLength: 16 },
);

test('whatever comes: no card has more than it has room for, and nobody waits for ever', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      await using rig = await supervised(MODELS, { settings: { waitSeconds: WAIT_SECONDS } });
      const requests: Promise<string>[] = [];
      for (const { what, model, ms } of sequence) {
        if (what === 'request' || what === 'leave') requests.push(request(rig, model, ms, what === 'leave'));
        else if (what === 'restart') await rig.restart();
        else if (what === 'kill')
          rig.engines().forEach((engine) => engine.model === model && kill(engine.pid));
        else await rig.command(model, what);
        await delay(ms);
        await assertFits(rig);
      }
      const late = delay((WAIT_SECONDS + 2) * 1000).then(() => ['a request waits for longer than it may']);
      const ends = await Promise.race([Promise.all(requests), late]);
      assert.deepEqual(
        ends.filter((end) => !/^(served|left|ERR_ENGINE_(BUSY|UNAVAILABLE))$/.test(end)),
        [],
      );
      await assertFits(rig);
      await eventually(async () => {
        const { rowCount } = await rig.db.pool.query(`select 1 from model_command where state = 'waiting'`);
        return rowCount === 0 ? true : undefined;
      }, 'every command to be answered');
      assert.equal(rig.overcommitted(), '');
    }),
    { numRuns: 3, endOnFailure: true },
  );
});

async function request(rig: Supervised, model: string, ms: number, leaves: boolean): Promise<string> {
  const client = new AbortController();
  if (leaves) setTimeout(() => client.abort(new Error('left')), ms);
  try {
    const place = await rig.acquire(model, client.signal);
    await delay(ms);
    place.release();
    return 'served';
  } catch (error) {
    return (error as { code?: string }).code ?? (error as Error).message;
  }
}

// One that is ended may have been asleep before.
async function assertFits(rig: Supervised): Promise<void> {
  const { rows } = await rig.db.pool.query<{ mib: number }>(
    `select coalesce(sum(case when state in ('asleep','stopping') then 1100 else predicted_mib end), 0)::int as mib
     from engine_instance where state not in ('stopped','failed')`,
  );
  assert.ok(rows[0]!.mib <= CARD_MIB, `${rows[0]!.mib} of ${CARD_MIB} MiB`);
}
