import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { logFile } from '../workers/log-store.ts';
import { applyRetention } from './retention.ts';

test('logs of runs that ended long ago, old events, old records of egress, old results and old prompts go; the rest stays', async (t) => {
  await using db = await testDatabase();
  const directory = mkdtempSync(join(tmpdir(), 'autocode-retention-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const [runLogs, results, prompts] = ['logs', 'results', 'prompts'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  await db.pool.query(`
    insert into project (name) values ('p');
    insert into task (project, title, body, agent, model, state, order_key, created_by)
      select 1, 't', 'b', 'a', 'm', 'completed', now(), 'me' from generate_series(1, 3);
    insert into worker (name, host, version, capacity, state) values ('w', 'h', '1', 1, 'online');
    insert into run (id, task, fence, state, worker, claim_id, agent, model, isolation, deadline, created_at, finished_at)
      select task || '-1', task, 1, state, 'w', gen_random_uuid(), 'a', 'm', 'directory', now(), now() - interval '40 d', finished
      from (values (1, 'failed', now() - interval '31 d'), (2, 'failed', now() - interval '29 d'), (3, 'working', null)) as r (task, state, finished);
    insert into log_stream (run, stream) select id, 'raw' from run;
    insert into event (kind, at) select 'old', now() - interval '31 d' from generate_series(1, 2500);
    insert into event (kind) values ('new');
    insert into egress_record (request, at, run, engine, host, bytes_out)
      select gen_random_uuid(), now() - make_interval(days => age), '1-1', 'cloud', 'h', 1 from unnest(array[1, 99, 101]) age;
    insert into model_decision (model, action, reason, at) select 'm', 'load', 'r', now() - make_interval(days => age) from unnest(array[1, 31]) age;
    insert into model_command (model, action, actor, at, done_at)
      select 'm', 'load', 'me', now() - interval '40 d', ended from unnest(array[null, now() - interval '31 d']) ended;
    insert into engine_instance (launch, model, kind, state, began_at, ended_at)
      values (gen_random_uuid(), 'm', 'vllm', 'ready', now() - interval '40 d', null),
             (gen_random_uuid(), 'm', 'vllm', 'stopped', now() - interval '40 d', now() - interval '31 d');
    update task set finished_at = now() - interval '31 d' where id = 1;
    insert into nomad_dispatch (token, task, attempt, state, ended_at)
      select task || '-1', task, 1, 'ended', now() - interval '31 d' from unnest(array[1, 3]) task;`);
  const files = ['1-1', '2-1', '3-1'].map((run) => logFile(runLogs, run, 'raw'));
  for (const file of files) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, 'x');
  }
  mkdirSync(join(results, '1'), { recursive: true });
  writeFileSync(join(results, '1/old'), '');
  writeFileSync(join(results, '1/new'), '');
  utimesSync(join(results, '1/old'), new Date(0), new Date(0));

  mkdirSync(join(prompts, '1-1'), { recursive: true });
  writeFileSync(join(prompts, '1-1/old.age'), '');
  utimesSync(join(prompts, '1-1/old.age'), new Date(0), new Date(0));

  const options = {
    runLogsDays: 30,
    eventsDays: 30,
    egressDays: 100,
    promptsDays: 30,
    runLogs,
    results,
    prompts,
  };
  await db.pool.query(
    `insert into delivery values ('gitea/work', 'old', now() - interval '100 days'), ('gitea/work', 'new', now())`,
  );
  assert.deepEqual(await applyRetention(db.pool, options), {
    logs: 1,
    events: 2500,
    egress: 1,
    results: 1,
    prompts: 1,
    deliveries: 1,
    models: 3,
    dispatches: 1,
  });
  assert.deepEqual(
    files.map((file) => existsSync(file)),
    [false, true, true],
  );
  assert.ok(!existsSync(dirname(files[0] ?? '')));
  assert.ok(!existsSync(join(prompts, '1-1')));
  const left = await db.pool.query('select kind from event');
  assert.deepEqual(left.rows, [{ kind: 'new' }]);
  assert.deepEqual(await applyRetention(db.pool, options), {
    logs: 0,
    events: 0,
    egress: 0,
    results: 0,
    prompts: 0,
    deliveries: 0,
    models: 0,
    dispatches: 0,
  });
});
