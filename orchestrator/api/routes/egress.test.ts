// What left the appliance, as the API tells it.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { createKey } from '../../access/keys.ts';
import { egressRecords } from '../../gateway/egress.ts';
import { liveRun } from '../../gateway/testing/live-run.ts';
import { testApi } from '../testing.ts';

test('calls to engines outside are told by run, project and time, newest first; keys count with their project', async () => {
  await using api = await testApi();
  const db = api.db.pool;
  const { run } = await liveRun(db);
  const [{ name: project }] = (await db.query('select name from project')).rows;
  const key = await createKey(db, { name: 'k', kind: 'person', models: [], external: true, project });
  const egress = egressRecords(db);
  type Outgoing = Parameters<typeof egress.leaves>;
  const outside = { external: 'api.example.com', model: { engine: 'cloud' } } as Outgoing[0];
  const caller = (run: string | null, of: number | null) => ({ run, key: of }) as Outgoing[1]['caller'];
  const [first, second] = [randomUUID(), randomUUID()];
  await egress.leaves(outside, { requestId: first, caller: caller(run, null) }, 1000);
  await egress.returned(outside, first, 300);
  await db.query(`update egress_record set at = now() - interval '2 days'`);
  await egress.leaves(outside, { requestId: second, caller: caller(null, key.id) }, 20);
  await egress.leaves(
    { model: { engine: 'own' } } as Outgoing[0],
    { requestId: second, caller: caller(run, null) },
    9,
  );

  const list = async (query: string) => (await api.send('viewer', 'GET', `/api/v1/egress?${query}`)).body;
  const requests = async (query: string) =>
    (await list(query)).map(({ request }: { request: string }) => request);
  const common = { project, engine: 'cloud', host: 'api.example.com' };
  assert.deepEqual(
    (await list('')).map(({ at: _, ...record }: { at: string }) => record),
    [
      { ...common, request: second, run: null, key: key.id, bytesOut: 20, bytesIn: null },
      { ...common, request: first, run, key: null, bytesOut: 1000, bytesIn: 300 },
    ],
  );
  assert.deepEqual(await requests(`run=${run}`), [first]);
  assert.deepEqual(await requests(`project=${project}`), [second, first]);
  assert.deepEqual(await requests('limit=1'), [second]);
  const yesterday = new Date(Date.now() - 86_400_000).toISOString();
  assert.deepEqual(await requests(`since=${yesterday}`), [second]);
  for (const [query, status] of [
    ['run=99-1', 404],
    ['project=none', 404],
    ['since=yesterday', 400],
    ['limit=0', 400],
  ])
    assert.equal((await api.send('viewer', 'GET', `/api/v1/egress?${query}`)).status, status, String(query));
});
