// Anomalies in a spool, with a real database.
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { testDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { spoolReader } from '../traffic/spool-reader.ts';
import { forgetHours, watchOnce } from './watch.ts';

const HOUR_MS = 3_600_000;
const NOW = Date.now(); // one for all, lest an hour begins in the middle of a test
const hoursAgo = (hours: number) => new Date(NOW - hours * HOUR_MS).toISOString();
let serial = 0;

function rig(t: TestContext, { pool: db }: TestDatabase) {
  const spool = mkdtempSync(path.join(tmpdir(), 'autocode-anomalies-'));
  t.after(() => rmSync(spool, { recursive: true }));
  return {
    /** What the proxy writes, at a time so many hours ago. */
    write(hours: number, record: object, times = 1) {
      const at = hoursAgo(hours);
      const whole = {
        event: 'close',
        at,
        project: 'shop',
        host: 'a.example',
        decision: 'allowed',
        ...record,
      };
      for (let count = 0; count < times; count++)
        appendFileSync(
          path.join(spool, `${at.slice(0, 13)}.jsonl`),
          `${JSON.stringify({ id: String(++serial), ...whole })}\n`,
        );
    },
    /** What is told of all that is there. */
    async told(): Promise<string[]> {
      const reader = spoolReader(db, 'anomalies', spool); // as after a restart
      while (await watchOnce(db, reader));
      const { rows } = await db.query<{ told: string }>(
        `select concat_ws(' ', data->>'projectName', data->>'anomaly', data->>'host', data->>'value') as told
         from event where kind = 'egress.anomaly' order by id`,
      );
      return rows.map(({ told }) => told);
    },
  };
}

test('a host that a project has not asked before is told once, when the project has been there for a day', async (t) => {
  await using db = await testDatabase();
  const { write, told } = rig(t, db);
  write(30, { host: 'old.example' });
  write(29, { host: 'young.example' });
  assert.deepEqual(await told(), []);
  write(1, { host: 'new.example' }, 2);
  write(1, { host: 'denied.example', decision: 'denied' });
  write(1, { host: 'open.example', event: 'open' });
  write(1, { host: 'other.example', project: 'young' });
  assert.deepEqual(await told(), ['shop first-seen-host new.example']);
  write(0, { host: 'new.example' });
  assert.equal((await told()).length, 1);
  for (let count = 0; count < 30; count++) write(0, { host: `h${count}.example` });
  assert.ok((await told()).length <= 21, 'ten a day');
});

test('an hour with far more bytes, or far more refusals, than those before is told once', async (t) => {
  await using db = await testDatabase();
  const { write, told } = rig(t, db);
  const MB = 1024 * 1024;
  write(48, { bytesOut: 4 * MB });
  write(3, { bytesOut: 15 * MB });
  assert.deepEqual(await told(), []);
  write(2, { bytesOut: 70 * MB });
  write(1, { project: null, decision: 'refused' }, 49);
  assert.deepEqual(await told(), []);
  write(2, { bytesOut: 10 * MB });
  write(1, { project: null, decision: 'refused' }, 2);
  assert.deepEqual(await told(), [`shop bytes-out ${80 * MB}`, 'refusals 51']);
  write(2, { bytesOut: 10 * MB });
  write(1, { project: null, decision: 'refused' }, 2);
  assert.equal((await told()).length, 2);
});

test('nothing is counted twice; what is older than a day is learnt from and not told', async (t) => {
  await using db = await testDatabase();
  const { write, told } = rig(t, db);
  write(30, { decision: 'denied' }, 80);
  assert.deepEqual(await told(), []);
  assert.deepEqual(await told(), []);
  const { rows } = await db.pool.query('select refused from traffic_hour');
  assert.deepEqual(rows, [{ refused: 80 }]);
  await db.pool.query(`insert into traffic_hour values ('shop', now() - interval '31 days', 1, 0, 0)`);
  await forgetHours(db.pool);
  assert.equal((await db.pool.query('select from traffic_hour')).rowCount, 1);
});
