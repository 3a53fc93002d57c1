// Incidents by the API: what is shown of them, and a person's word.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FinishInput } from '../../../protocol/run.ts';
import { IncidentSettings } from '../../config/incident-settings.ts';
import { transaction, type Database } from '../../db/connect.ts';
import { lockIncidents } from '../../incidents/find.ts';
import { incidentRules } from '../../incidents/rules.ts';
import { takeSignal } from '../../incidents/take.ts';
import { finishRun } from '../../tasks/finish.ts';
import { aProject, aWorker, claim } from '../../tasks/testing/work.ts';
import { testApi, type Answer } from '../testing.ts';

const REPORT = {
  whatHappened: 'It was slow.',
  evidence: 'A graph.',
  suspectedChange: 'None.',
  proposedAction: 'Wait.',
};
const POLICY = { retries: { agent: 0, platform: 0, lost: 0, outOfTime: 0 }, retryBackoffSeconds: 1 };

async function fire(db: Database, account: string, alarm = 'cpu', project = 'p'): Promise<void> {
  const rules = incidentRules(IncidentSettings.parse({}));
  await transaction(db, async (tx) => {
    await lockIncidents(tx);
    const deps = { defaults: { agent: 'command', model: null }, incidents: rules };
    await takeSignal(tx, deps, {
      scope: 'aws',
      subject: `${account}|${alarm}`,
      account,
      state: 'firing',
      at: null,
      title: `Alarm ${alarm}`,
      body: 'It fires.',
      message: 'It fires too.',
      source: 'aws',
      author: 'aws',
      project,
      reopenings: 10,
    });
  });
}

test('an incident is shown with its alarms, its task and the report about it', async () => {
  await using api = await testApi();
  const { pool } = api.db;
  await aProject(pool);
  await aWorker(pool);
  await fire(pool, '1');
  await fire(pool, '1', 'disk');
  await claim(pool);
  const end = FinishInput.parse({ fence: 1, outcome: 'no-change', report: REPORT });
  await finishRun(pool, '1-1', end, POLICY);
  await fire(pool, '2');
  const list = await api.send('viewer', 'GET', '/api/v1/incidents?state=open');
  assert.deepEqual(
    list.body.map((each: Answer['body']) => [each.id, each.title, each.accounts, each.alarms, each.firing]),
    [
      [2, 'Alarm cpu', ['2'], 1, 1],
      [1, 'Alarm cpu', ['1'], 2, 2],
    ],
  );
  const one = await api.send('viewer', 'GET', '/api/v1/incidents?account=1&before=2&limit=1');
  assert.deepEqual(one.body[0].tasks, [
    { task: 1, project: 'p', state: 'completed', dropped: false, superseded: false },
  ]);
  const { body } = await api.send('viewer', 'GET', '/api/v1/incidents/1');
  assert.deepEqual(
    body.alarmList.map((each: Answer['body']) => [each.title, each.firing, each.fired, each.task]),
    [
      ['Alarm cpu', true, 1, 1],
      ['Alarm disk', true, 1, 1],
    ],
  );
  assert.partialDeepStrictEqual(body.reports, [{ task: 1, run: '1-1', report: REPORT }]);
  assert.deepEqual((await api.send('viewer', 'GET', '/api/v1/runs/1-1')).body.report, REPORT);
  assert.equal((await api.send('viewer', 'GET', '/api/v1/tasks/1')).body.incident, 1);
  assert.equal((await api.send('viewer', 'GET', '/api/v1/incidents/3')).status, 404);
});

test('a person resolves an incident, which cancels what has not begun, and has it investigated again', async () => {
  await using api = await testApi();
  const { pool } = api.db;
  await aProject(pool);
  await fire(pool, '1');
  const say = async (verb: string, body: object = {}, incident = 1) =>
    await api.send('operator', 'POST', `/api/v1/incidents/${incident}/${verb}`, body);
  assert.equal((await say('reopen')).status, 409); // its task has not ended
  const resolved = await say('resolve', { reason: 'maintenance' });
  assert.partialDeepStrictEqual(resolved.body, {
    state: 'resolved',
    resolution: 'maintenance',
    tasks: [{ state: 'cancelled', dropped: true }],
  });
  assert.equal((await say('resolve')).status, 409);
  assert.equal((await say('resolve', {}, 2)).status, 404);
  assert.equal((await say('resolve', { reason: '' })).status, 400);
  const reopened = await say('reopen', { reason: 'it is back' });
  assert.partialDeepStrictEqual(reopened.body, {
    state: 'open',
    reopened: 1,
    resolvedBy: null,
    tasks: [{ state: 'queued', dropped: false }],
  });
  await aWorker(pool);
  const order = await claim(pool);
  assert.equal(order?.task.kind, 'investigate');
  assert.match(order?.messages[0]?.text ?? '', /Investigate incident 1 again: it is back/);
  assert.equal((await say('resolve')).body.tasks[0].state, 'running');
  const { rows } = await pool.query<{ text: string }>(
    'select text from task_message order by number desc limit 1',
  );
  assert.match(rows[0]!.text, /Incident 1 is resolved\. Finish the report/);
});

test('people of one project see of an incident what is of theirs, and decide where all of it is', async () => {
  await using api = await testApi();
  const { pool } = api.db;
  await aProject(pool);
  await aProject(pool, 'vault');
  await fire(pool, '1', 'secret', 'vault');
  await fire(pool, '1', 'cpu');
  await fire(pool, '2', 'other', 'vault');
  await fire(pool, '3', 'own');
  const token = async (name: string, projects: object) => {
    const { body } = await api.send('admin', 'POST', '/api/v1/people', { name, projects });
    const made = await api.send('admin', 'POST', '/api/v1/tokens', { name, role: 'admin' });
    await pool.query('update token set person = $2 where id = $1', [made.body.id, body.person.id]);
    return { authorization: `Bearer ${made.body.token}` };
  };
  const [one, both, mixed] = [
    await token('one', { p: 'operator' }),
    await token('both', { p: 'operator', vault: 'admin' }),
    await token('mixed', { p: 'viewer', vault: 'operator' }),
  ];
  const get = async (url: string, headers = one) =>
    await api.send(null, 'GET', `/api/v1${url}`, undefined, headers);
  const list = (await get('/incidents')).body;
  assert.deepEqual(
    list.map((each: Answer['body']) => [each.id, each.title, each.accounts, each.alarms, each.others]),
    [
      [3, 'Alarm own', ['3'], 1, 0],
      [1, 'Alarm cpu', ['1'], 1, 1],
    ],
  );
  assert.ok(!JSON.stringify([list, (await get('/incidents/1')).body]).includes('secret'));
  assert.deepEqual((await get('/incidents?account=2')).body, []);
  assert.equal((await get('/incidents?account=2', both)).body.length, 1);
  assert.equal((await get('/incidents/2')).status, 404);
  assert.equal((await get('/incidents/1', both)).body.alarmList.length, 2);
  await pool.query(`update incident set needs_person = 'Task 1 failed: a secret'`);
  assert.equal((await get('/incidents/1')).body.needsPerson, 'Nobody works on all of it.');

  const resolve = async (incident: number, headers: Record<string, string>) =>
    (await api.send(null, 'POST', `/api/v1/incidents/${incident}/resolve`, {}, headers)).status;
  const merge = async (into: number, from: number[], headers: Record<string, string>) =>
    await api.send(null, 'POST', `/api/v1/incidents/${into}/merge`, { from }, headers);
  const refused: [number, number[], Record<string, string>, number][] = [
    [3, [2], one, 404], // what is of others alone
    [2, [3], one, 404],
    [3, [1], one, 403],
    [1, [3], one, 403],
    [3, [2], mixed, 403],
    [3, [9], one, 404],
    [3, [9], both, 404],
    [3, [3], both, 400],
    [3, [], both, 400],
  ];
  for (const [into, from, headers, status] of refused)
    assert.equal((await merge(into, from, headers)).status, status, `${String(from)} into ${into}`);
  await fire(pool, '4', 'own too');
  assert.partialDeepStrictEqual((await merge(3, [4], one)).body, { id: 3, alarms: 2, mergedFrom: [4] });
  const gone = (await get('/incidents/4')).body;
  assert.partialDeepStrictEqual(gone, { state: 'merged', mergedInto: 3, resolvedBy: 'one' });
  await fire(pool, '4', 'later');
  assert.equal((await get('/incidents?state=open')).body[0].alarms, 3);
  const { rows } = await pool.query(
    `select target from audit_record where route like '%merge' order by id desc limit 1`,
  );
  assert.deepEqual(rows[0]!.target, { incident: '3', from: '4' });
  assert.equal(await resolve(4, one), 409);
  assert.equal(await resolve(2, one), 404);
  assert.equal(await resolve(1, one), 403);
  assert.equal(await resolve(1, mixed), 403);
  assert.equal(await resolve(3, one), 200);
  assert.equal(await resolve(1, both), 200);
});
