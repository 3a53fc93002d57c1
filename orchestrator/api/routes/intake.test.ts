// Sources by the API: what each kind is asked for, how one is changed without anybody's change being lost; whose what came is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SOURCE_KINDS } from '../../../protocol/intake.ts';
import { IncidentSettings } from '../../config/incident-settings.ts';
import { incidentRules } from '../../incidents/rules.ts';
import { storeDelivery } from '../../intake/deliveries.ts';
import { sealer } from '../../intake/sealing.ts';
import { workOnDeliveries } from '../../intake/work.ts';
import { aProject } from '../../tasks/testing/work.ts';
import { testApi, type Answer } from '../testing.ts';

const SOURCES = '/api/v1/intake/sources';

test('each kind tells what it is, what is to be done at the far side, and its settings with descriptions', async () => {
  await using api = await testApi();
  const { body } = await api.send('viewer', 'GET', '/api/v1/intake/source-kinds');
  assert.deepEqual(
    body.kinds.map(({ kind }: { kind: string }) => kind),
    [...SOURCE_KINDS],
  );
  for (const { kind, what, settings } of body.kinds) {
    assert.ok(what.length > 10, kind);
    for (const [name, schema] of Object.entries<{ description?: string }>(settings.properties))
      assert.ok(schema.description, `${kind}.${name} is not described`);
  }
  assert.ok('actors' in body.trust.properties);
  assert.equal(body.kinds.find(({ kind }: { kind: string }) => kind === 'schedule').secret, null);
});

test('a source is changed as it was seen; whoever comes second is told and overwrites nothing', async () => {
  await using api = await testApi();
  await aProject(api.db.pool);
  const input = {
    name: 'nightly',
    kind: 'schedule',
    project: 'p',
    settings: { cron: '0 3 * * *', title: 'Tidy' },
  };
  const { body: seen } = await api.send('admin', 'POST', SOURCES, input);
  const patch = async (body: object, role: 'admin' | 'operator' = 'admin', name = 'nightly') =>
    await api.send(role, 'PATCH', `${SOURCES}/${name}`, { version: seen.version, ...body });
  const same = await patch({ trust: { ...seen.trust, perHour: 60 } });
  assert.equal(same.body.version, seen.version);
  const changed = await patch({ settings: { cron: '0 4 * * *', title: 'Tidy' }, secret: 'new' });
  assert.equal(changed.status, 200);
  assert.partialDeepStrictEqual(changed.body, {
    project: 'p',
    settings: { cron: '0 4 * * *', timeZone: 'UTC' },
  });
  const late = await patch({ settings: { cron: '0 5 * * *', title: 'Tidy' }, secret: 'late' });
  assert.deepEqual([late.status, late.body.error.code], [409, 'ERR_CONFLICT']);
  const { body: now } = await api.send('viewer', 'GET', `${SOURCES}/nightly`);
  assert.equal(now.settings.cron, '0 4 * * *');
  assert.equal((await api.send('admin', 'POST', '/api/v1/secrets/intake-nightly/reveal')).body.value, 'new');

  const bad = await patch({ version: now.version, settings: { cron: 'never', title: 7 } });
  assert.equal(bad.status, 400);
  assert.deepEqual(
    bad.body.error.details.map(({ path }: { path: string }) => path),
    ['settings.cron', 'settings.title'],
  );
  const unkept = { cron: '0 3 * * *', title: 'a\0b' };
  assert.equal((await patch({ version: now.version, settings: unkept })).status, 400);
  assert.equal((await patch({ version: now.version, project: null })).status, 400); // a schedule needs one
  assert.equal((await patch({}, 'operator')).status, 403);
  assert.equal((await patch({}, 'admin', 'none')).status, 404);
});

test('a source that is sent elsewhere begins anew there, and goes on where it was after any other change', async () => {
  await using api = await testApi();
  const { pool } = api.db;
  const settings = { forge: 'a.example' };
  let { body: seen } = await api.send('admin', 'POST', SOURCES, { name: 'work', kind: 'forge', settings });
  await pool.query(`update intake_source set cursor = '"far"', looked_at = now(), trouble = 'away'`);
  const change = async (to: object) => {
    const body = { version: seen.version, settings: to };
    ({ body: seen } = await api.send('admin', 'PATCH', `${SOURCES}/work`, body));
    const { rows } = await pool.query('select cursor, looked_at is null as anew, trouble from intake_source');
    return rows[0];
  };
  const kept = await change({ forge: 'a.example', mention: '@us' });
  assert.deepEqual(kept, { cursor: 'far', anew: false, trouble: 'away' });
  assert.deepEqual(await change({ forge: 'b.example' }), { cursor: null, anew: true, trouble: null });
});

test('people of one project see and decide what came for it, of others only how much there is', async () => {
  await using api = await testApi();
  const { pool } = api.db;
  for (const name of ['p', 'vault']) await aProject(pool, name);
  const of = (project: string) => ({ project, labels: { team: project } });
  await api.send('admin', 'POST', SOURCES, {
    name: 'prometheus',
    kind: 'alertmanager',
    settings: { projects: [of('p'), of('vault')], accountLabel: 'cluster' },
    trust: { perHour: 1 },
  });
  await api.send('admin', 'POST', SOURCES, {
    name: 'nightly',
    kind: 'schedule',
    project: 'p',
    settings: { cron: '0 3 * * *', title: 'Tidy' },
  });
  const seal = sealer(Buffer.alloc(32, 7));
  const came = async (source: string, delivery: string, body: object) => {
    const raw = { delivery, event: 'notification', via: 'webhook' as const };
    await storeDelivery(pool, seal, source, { ...raw, body: Buffer.from(JSON.stringify(body)) });
  };
  const alerts = (...teams: string[]) => ({
    version: '4',
    groupKey: teams.join(),
    alerts: teams.map((team, index) => ({
      status: 'firing',
      labels: { alertname: `of ${team}`, team, cluster: `${teams.join()} ${index}` },
      startsAt: '2026-03-01T12:00:00Z',
      fingerprint: `${teams.join()} ${index}`,
    })),
  });
  await came('prometheus', '1', alerts('nobody'));
  await came('prometheus', '2', alerts('vault'));
  await came('prometheus', '3', alerts('p', 'vault'));
  await came('prometheus', '4', alerts('p', 'p'));
  await came('nightly', '5', { no: 'time' });
  const defaults = { agent: 'command', model: null };
  const deps = { db: pool, sealer: seal, defaults, incidents: incidentRules(IncidentSettings.parse({})) };
  await workOnDeliveries(deps, new AbortController().signal);

  const person = async (name: string, role: 'viewer' | 'operator') => {
    const { body } = await api.send('admin', 'POST', '/api/v1/people', { name, projects: { p: role } });
    const made = await api.send('admin', 'POST', '/api/v1/tokens', { name, role: 'admin' });
    await pool.query('update token set person = $2 where id = $1', [made.body.id, body.person.id]);
    return async (method: 'GET' | 'POST', url: string) =>
      await api.send(null, method, `/api/v1/intake/${url}`, undefined, {
        authorization: `Bearer ${made.body.token}`,
      });
  };
  const [looks, acts] = [await person('looks', 'viewer'), await person('acts', 'operator')];
  const list = async (query = '') =>
    (await looks('GET', `deliveries${query}`)).body.map((each: Answer['body']) => [
      each.id,
      each.project,
      each.items.map((item: Answer['body']) => item.project),
      each.others,
    ]);
  const all = [
    [5, 'p', [], 0],
    [4, null, ['p', 'p'], 0],
    [3, null, ['p'], 1],
  ];
  assert.deepEqual(await list(), all);
  assert.deepEqual(await list('?verdict=quarantined&before=4'), [all[2]]);
  assert.deepEqual(await list('?state=failed'), [all[0]]);
  assert.deepEqual(await list('?task=1'), []); // it is vault's
  assert.equal((await api.send('viewer', 'GET', '/api/v1/intake/deliveries')).body.length, 5);
  const shown = (await looks('GET', 'deliveries/3')).body;
  assert.ok(!JSON.stringify(shown).includes('of vault'));
  const items = async (id: number) =>
    (await api.send('viewer', 'GET', `/api/v1/intake/deliveries/${id}`)).body.items.map(
      ({ id: item }: Answer['body']) => item,
    );
  const [mine, theirs] = await items(3);
  const [one, other] = await items(4);
  const statuses: [typeof looks, 'GET' | 'POST', string, number][] = [
    [looks, 'GET', 'deliveries/1', 404], // nobody knows whose it is
    [looks, 'GET', 'deliveries/2', 404],
    [looks, 'GET', 'deliveries/9', 404],
    [looks, 'GET', 'deliveries/x', 404],
    [looks, 'POST', `items/${mine}/approve`, 403],
    [looks, 'POST', 'deliveries/4/replay', 403],
    [acts, 'POST', `items/${theirs}/approve`, 404],
    [acts, 'POST', 'deliveries/2/replay', 404],
    [acts, 'POST', 'deliveries/3/replay', 403], // a part of it is another's
    [acts, 'POST', 'deliveries/4/replay', 202],
    [acts, 'POST', 'deliveries/5/replay', 202],
    [acts, 'POST', `items/${one}/reject`, 200],
    [acts, 'POST', `items/${one}/reject`, 409],
    [acts, 'POST', `items/${other}/approve`, 200],
    [acts, 'GET', 'sources', 403],
  ];
  for (const [who, method, url, status] of statuses)
    assert.equal((await who(method, url)).status, status, `${method} ${url}`);
  const approved = (await acts('POST', `items/${mine}/approve`)).body;
  assert.deepEqual([approved.items.length, approved.others], [1, 1]);
});
