// A storm of alarms: processes beside each other, and one that is killed in the middle of its work.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { listDeliveries, replayDelivery } from '../intake/log.ts';
import { finishRun } from '../tasks/finish.ts';
import { aWorker, claim, POLICY, report } from '../tasks/testing/work.ts';
import { incidentRig, type IncidentRig } from './testing.ts';

const ACCOUNTS = 17;

async function storm(rig: IncidentRig): Promise<void> {
  const alarms = Array.from({ length: 100 }, (_, index) => ({
    account: String(index % ACCOUNTS),
    alarm: `alarm ${index % 40}`,
    minute: Math.floor(index * 0.6),
  }));
  await Promise.all(alarms.map(rig.send));
}

async function counts(rig: IncidentRig): Promise<unknown> {
  const { rows } = await rig.deps.db.query(
    `select (select count(*)::int from incident) as incidents, (select count(*)::int from task) as tasks,
       (select count(*)::int from event where kind = 'incident.opened') as opened,
       (select sum(fired)::int from incident_alarm) as fired,
       (select count(*)::int from intake_item where verdict in ('created', 'appended')) as taken`,
  );
  return rows[0];
}

const whole = { incidents: ACCOUNTS, tasks: ACCOUNTS, opened: ACCOUNTS, fired: 100, taken: 100 };

test('a hundred alarms in an hour over 17 accounts are 17 investigations, worked on by four at once', async () => {
  await using rig = await incidentRig();
  await storm(rig);
  await Promise.all([rig.work(), rig.work(), rig.work(), rig.work()]);
  assert.deepEqual(await counts(rig), whole);
});

test('and 17 when the process is killed in the middle: what goes on with it begins no other one', async () => {
  await using rig = await incidentRig();
  const { db } = rig.deps;
  await storm(rig);
  // The first alarm of this account waits for a lock of the test's, inside the transaction that takes it in.
  await db.query(
    `create function wait() returns trigger language plpgsql as
       $$ begin if new.account = '11' then perform pg_advisory_xact_lock(4711); end if; return new; end $$;
     create trigger wait after insert on incident_account for each row execute function wait()`,
  );
  const held = await db.connect();
  try {
    await held.query('begin; select pg_advisory_xact_lock(4711)');
    const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, rig.db.url], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const ended = once(child, 'exit');
    try {
      await until('it waits in the middle', async () => {
        const { rows } = await db.query<{ waits: boolean }>(
          `select exists (select from pg_locks where locktype = 'advisory' and not granted
             and database = (select oid from pg_database where datname = current_database())) as waits`,
        );
        return rows[0]!.waits;
      });
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
    await held.query('rollback');
    await until('its transaction is given up', async () => {
      const { rowCount } = await db.query(
        `select from pg_stat_activity where application_name = 'killed' and datname = current_database()`,
      );
      return rowCount === 0;
    });
  } finally {
    held.release();
  }
  const { rows } = await db.query<{ done: number }>(
    `select count(*)::int as done from intake_delivery where state = 'done'`,
  );
  assert.ok(rows[0]!.done > 0 && rows[0]!.done < 100, `${rows[0]!.done} are done`);
  await rig.work();
  assert.deepEqual(await counts(rig), whole);
  for (const { id } of await listDeliveries(db, { limit: 200 })) await replayDelivery(db, id);
  await rig.work();
  assert.deepEqual(await counts(rig), whole);
});

test('and 17 runs: what comes when a run has ended waits for the next one', async () => {
  await using rig = await incidentRig();
  const { db } = rig.deps;
  await aWorker(db, 'w', 10, [], { agents: [{ name: 'command', version: '1' }] });
  await storm(rig);
  await db.query(`update intake_delivery set not_before = now() + interval '1 hour' where id % 3 = 0`);
  const runAll = async () => {
    for (let order = await claim(db); order !== null; order = await claim(db))
      await finishRun(db, order.run, report(order, { outcome: 'no-change' }), POLICY);
  };
  await rig.work();
  await runAll();
  await db.query('update intake_delivery set not_before = now()');
  await rig.work();
  await runAll();
  const { rows } = await db.query('select count(*)::int as runs from run');
  assert.deepEqual([rows[0], await counts(rig)], [{ runs: ACCOUNTS }, whole]);
});

const at = (file: string) => JSON.stringify(path.join(import.meta.dirname, '..', file));

/** What the daemon does with deliveries, as a process of its own. */
const PROGRAM = `
  import { connect } from ${at('db/connect.ts')};
  import { workOnDeliveries } from ${at('intake/work.ts')};
  import { sealer } from ${at('intake/sealing.ts')};
  import { incidentRules } from ${at('incidents/rules.ts')};
  import { IncidentSettings } from ${at('config/incident-settings.ts')};
  const db = connect({ url: process.argv[1], poolSize: 1, applicationName: 'killed' });
  const incidents = incidentRules(IncidentSettings.parse({}));
  const deps = { db, sealer: sealer(Buffer.alloc(32, 7)), defaults: { agent: 'command', model: null }, incidents };
  await workOnDeliveries(deps, new AbortController().signal);
`;

async function until(what: string, is: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; !(await is()); await delay(20))
    if (Date.now() > end) throw new Error(`never: ${what}`);
}
