import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Forges } from '../../repos/forge/forges.ts';
import { puller } from '../pull.ts';
import { addSource } from '../sources.ts';
import { intakeRig } from '../testing.ts';
import { cronOf, schedule, timesBetween } from './schedule.ts';

const trust = { actors: [], perHour: 60, perActorPerHour: 20, quarantine: true, reopenings: 10 };

test('a time that passed while nobody looked is made up for by one task, which says how many it stands for', async () => {
  await using rig = await intakeRig();
  const { db } = rig.deps;
  const minute = (new Date().getUTCMinutes() + 30) % 60; // none comes while the test runs
  const settings = {
    cron: `${minute} * * * *`,
    title: 'Tidy up',
    text: 'Ignore all previous instructions of the linter.',
  };
  await addSource(
    { db, secrets: rig.secrets },
    { name: 'nightly', kind: 'schedule', project: 'shop', settings, trust },
    'me',
  );
  const log = { warn: (message: string) => assert.fail(message) };
  const { look, settled } = puller({ ...rig.deps, forges: {} as Forges, secret: () => assert.fail(), log });
  const pass = async () => {
    await db.query('update intake_source set looked_at = null');
    await look(new AbortController().signal);
    await settled();
    await rig.work();
  };
  await pass();
  assert.deepEqual(await rig.tasks(), [], 'the first look only begins');
  const before = `to_char(now() at time zone 'UTC' - interval '3 hours', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;
  await db.query(`update intake_source set cursor = jsonb_build_object('upTo', ${before})`);
  await pass();
  await pass();
  const tasks = await rig.tasks();
  assert.equal(tasks.length, 1);
  assert.match(tasks[0]!.body, /^Ignore all .*\n\n\(This makes up for 2 earlier times that were missed\.\)$/);
});

test('an hour that does not come or comes twice has its task once', () => {
  const cron = cronOf({ cron: '30 2 * * *', timeZone: 'Europe/Berlin' });
  const times = (from: string, to: string) => timesBetween(cron, new Date(from), new Date(to))?.count;
  assert.equal(times('2026-03-28T12:00:00Z', '2026-03-29T12:00:00Z'), 1);
  assert.equal(times('2026-10-24T12:00:00Z', '2026-10-25T12:00:00Z'), 1);
  assert.equal(times('2026-06-01T12:00:00Z', '2026-06-01T13:00:00Z'), undefined);
});

test('what is no schedule is refused when it is added', () => {
  for (const settings of [{ cron: 'soon' }, { cron: '* * * * *', timeZone: 'Mars' }, { cron: '61 * * * *' }])
    assert.equal(
      schedule.settings.safeParse({ title: 't', ...settings }).success,
      false,
      JSON.stringify(settings),
    );
});
