import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IncidentDetails } from '../../../protocol/incident.ts';
import { fakeApi, runCli } from '../testing/run-cli.ts';

const AT = '2026-11-20T10:00:00.000Z';
const INCIDENT: IncidentDetails = {
  id: 7,
  state: 'open',
  title: 'Alarm cpu',
  accounts: ['1', '2'],
  alarms: 2,
  firing: 1,
  fired: 5,
  tasks: [{ task: 12, project: 'shop', state: 'failed', dropped: false, superseded: false }],
  mergedInto: null,
  mergedFrom: [],
  others: 0,
  needsPerson: 'Task 12 failed: no model.',
  reopened: 1,
  firstAt: AT,
  lastAt: AT,
  quietAt: null,
  resolvedAt: null,
  resolvedBy: null,
  resolution: null,
  alarmList: [{ title: 'Alarm cpu', account: '1', task: 12, firing: true, fired: 4, since: AT }],
  reports: [
    {
      task: 12,
      run: '12-1',
      at: AT,
      report: {
        whatHappened: 'Slow.',
        evidence: 'A graph.',
        suspectedChange: 'c0ffee',
        proposedAction: 'Wait.',
      },
    },
  ],
};

const run = async (url: string, ...words: string[]) =>
  await runCli(['incident', ...words], { env: { AUTOCODE_URL: url } });

test('incident list shows what wants a person, and asks for what is wanted', async () => {
  await using api = await fakeApi({ 'GET /incidents': { body: [INCIDENT] } });
  const { stdout } = await run(api.url, 'list', '--state', 'open', '--account', '1');
  assert.match(stdout, /7 +needs a person +1, 2 +1 of 2 .*12 failed +Alarm cpu/);
  assert.match(api.requests[0]!.line, /state=open&account=1&limit=50/);
});

test('incident show has the alarms and the report', async () => {
  await using api = await fakeApi({ 'GET /incidents/7': { body: INCIDENT } });
  const { stdout } = await run(api.url, 'show', '7');
  assert.match(stdout, /1 of 2 are firing; they fired 5 times/);
  assert.match(stdout, /Alarm cpu +1 +firing/);
  assert.match(stdout, /Report of run 12-1[^]*What happened\nSlow\.[^]*Suspected change\nc0ffee/);
});

test('incident resolve and reopen send the reason', async () => {
  await using api = await fakeApi({
    'POST /incidents/7/resolve': { body: { ...INCIDENT, state: 'resolved' } },
    'POST /incidents/7/reopen': { body: INCIDENT },
  });
  const { stdout } = await run(api.url, 'resolve', '7', '--reason', 'planned');
  assert.equal(stdout, 'Incident 7 is resolved. Its task: 12 failed.\n');
  await run(api.url, 'reopen', '7');
  assert.deepEqual(
    api.requests.map(({ body }) => body),
    [{ reason: 'planned' }, {}],
  );
});

test('incident merge makes all but the last one part of that one, which is then said of them', async () => {
  const merged = { ...INCIDENT, id: 8, state: 'merged', mergedInto: 7, resolvedAt: AT, resolvedBy: 'ann' };
  await using api = await fakeApi({
    'POST /incidents/7/merge': { body: { ...INCIDENT, mergedFrom: [8, 9] } },
    'GET /incidents': { body: [merged] },
    'GET /incidents/8': { body: merged },
  });
  const { stdout } = await run(api.url, 'merge', '8', '9', '7', '--reason', 'one disk');
  assert.equal(stdout, 'Incidents 8, 9 are part of incident 7 now. Its task: 12 failed.\n');
  assert.deepEqual(api.requests[0]!.body, { from: [8, 9], reason: 'one disk' });
  assert.match((await run(api.url, 'list')).stdout, /8 +merged into 7 +1, 2 .* Alarm cpu/);
  assert.match(
    (await run(api.url, 'show', '8')).stdout,
    /merged into incident 7: what follows is of that one/,
  );
  const alone = await run(api.url, 'merge', '7');
  assert.match(alone.stderr, /One incident alone is nothing to merge/);
  assert.equal(alone.code, 2);
});
