// Incidents that a person merges, beside alarms that arrive, on a real database.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aWorker, claim } from '../tasks/testing/work.ts';
import { addProject } from '../intake/testing.ts';
import { mergeIncidents } from './merge.ts';
import { getIncident, listIncidents } from './queries.ts';
import { incidentRig, type IncidentRig } from './testing.ts';
import { reopenIncident, resolveIncident } from './word-of-a-person.ts';

const merge = async ({ deps }: IncidentRig, into: number, from: number[], reason?: string) =>
  await mergeIncidents(deps.db, into, { from, actor: 'ann', reason });

async function messagesOf({ deps }: IncidentRig, task: number): Promise<{ author: string; text: string }[]> {
  const { rows } = await deps.db.query<{ author: string; text: string }>(
    'select author, text from task_message where task = $1 order by number',
    [task],
  );
  return rows;
}

test('what is merged is one incident with one investigation, which is told all that the other was', async () => {
  await using rig = await incidentRig();
  const { db } = rig.deps;
  await rig.tell({ minute: 0, reason: 'Slow' });
  await rig.tell({ minute: 10, account: '2', alarm: 'disk', reason: 'Full\nof logs' });
  await rig.tell({ minute: 20, account: '2', alarm: 'queue', reason: 'Long' });
  const merged = await merge(rig, 1, [2, 2], 'the same disk');
  assert.partialDeepStrictEqual(merged, { state: 'open', accounts: ['1', '2'], alarms: 3, mergedFrom: [2] });
  assert.deepEqual(
    merged.tasks.map(({ task, state, superseded }) => [task, state, superseded]),
    [
      [1, 'queued', false],
      [2, 'cancelled', true],
    ],
  );
  assert.deepEqual(
    merged.alarmList.map(({ task }) => task),
    [1, 1, 1],
  );
  const { rows: tasks } = await db.query<{ reason: string }>('select reason from task where id = 2');
  assert.equal(
    tasks[0]!.reason,
    'Incident 2 was merged into incident 1 by ann (the same disk). Task 1 is the investigation of both.',
  );
  const [first, second, ...rest] = await messagesOf(rig, 1);
  assert.match(
    first!.text,
    /^Incident 2 was merged .*\n\nIts alarms:\n\n> Alarm disk, account 2: firing, fired 1 times\n> Alarm queue/,
  );
  assert.match(first!.text, /> Reason: Full\n> of logs\n/);
  assert.partialDeepStrictEqual([first, second, rest], [{ author: 'ann' }, { author: 'aws' }, []]);
  assert.match(second!.text, /> Reason: Long/);

  // What would have joined the one that is gone joins the other, and both are over together.
  await rig.tell({ minute: 70, account: '2', alarm: 'network' });
  assert.partialDeepStrictEqual(await rig.last(), { verdict: 'appended', task: 1, incident: 1 });
  for (const alarm of ['disk', 'queue', 'network'])
    await rig.tell({ minute: 80, account: '2', alarm, state: 'OK' });
  assert.partialDeepStrictEqual(await rig.last(), { verdict: 'appended', task: 1, incident: 1 });
  assert.equal((await getIncident(db, 1)).state, 'open');
  await rig.tell({ minute: 80, state: 'OK' });
  assert.equal((await getIncident(db, 1)).state, 'settling');

  const gone = await getIncident(db, 2);
  assert.partialDeepStrictEqual(gone, { state: 'merged', mergedInto: 1, resolvedBy: 'ann', alarms: 4 });
  assert.deepEqual(
    (await listIncidents(db, { state: 'merged', limit: 9 })).map(({ id }) => id),
    [2],
  );
  assert.deepEqual(await listIncidents(db, { state: 'resolved', limit: 9 }), []);
});

test('a repeated word changes nothing, and what cannot be merged says why', async () => {
  await using rig = await incidentRig();
  const { db } = rig.deps;
  for (const account of ['1', '2', '3', '4', '5']) await rig.tell({ minute: 0, account });
  const events = async () =>
    (await db.query(`select data from event where kind = 'incident.merged' order by id`)).rows;
  await merge(rig, 2, [3]);
  await merge(rig, 1, [2]);
  const told = await messagesOf(rig, 1);
  assert.deepEqual((await merge(rig, 1, [2, 3])).mergedFrom, [2, 3]); // what had been merged before came with it
  assert.deepEqual(await messagesOf(rig, 1), told);
  assert.deepEqual(
    (await events()).map(({ data }) => [data.incident, data.into, data.by]),
    [
      [3, 2, 'ann'],
      [2, 1, 'ann'],
    ],
  );
  await resolveIncident(db, 4, { actor: 'ann' });
  const refused: [number, number[], RegExp][] = [
    [1, [1], /cannot be merged into itself/],
    [2, [1], /Incident 2 was merged into incident 1/], // a circle
    [5, [3], /Incident 3 was merged into incident 1/],
    [4, [5], /Incident 4 is resolved, and incident 5 goes on/],
    [9, [1], /There is no incident 9/],
    [1, [5, 9], /There is no incident 9/],
  ];
  for (const [into, from, why] of refused)
    await assert.rejects(merge(rig, into, from), { message: why }, String(why));
  await assert.rejects(resolveIncident(db, 3, { actor: 'ann' }), /was merged into incident 1/);
  await assert.rejects(reopenIncident(db, 3, { actor: 'ann' }), /was merged into incident 1/);
  assert.deepEqual((await getIncident(db, 5)).tasks.length, 1);
  assert.partialDeepStrictEqual(await merge(rig, 5, [4]), { state: 'open', alarms: 2 });
});

test('a run at work goes on to its report, and where only the other is investigated that goes on', async () => {
  await using rig = await incidentRig(
    {
      accounts: ['1', '2', '4']
        .map((account) => ({ account, project: 'shop' }))
        .concat({ account: '3', project: 'pay' }),
    },
    { project: null },
  );
  const { db } = rig.deps;
  await addProject(db, 'pay');
  await aWorker(db, 'w', 10, [], { agents: [{ name: 'command', version: '1' }] });
  await rig.tell({ minute: 0, account: '1' });
  assert.equal((await claim(db))?.run, '1-1');
  await rig.tell({ minute: 1, account: '2' });
  await rig.tell({ minute: 2, account: '3' });
  const merged = await merge(rig, 2, [1, 3]);
  assert.deepEqual(
    merged.tasks.map(({ task, state, superseded }) => [task, state, superseded]),
    [
      [1, 'running', true],
      [2, 'pending', false], // its turn comes when the run has ended
      [3, 'queued', false],
    ],
  );
  assert.match(
    (await messagesOf(rig, 1))[0]!.text,
    /Task 2 is the investigation of both\. Finish the report/,
  );
  assert.match((await messagesOf(rig, 3))[0]!.text, /^Incident 3 was merged into incident 2 by ann\.$/);
  for (const [account, task] of [
    ['1', 2],
    ['3', 3],
  ] as const) {
    await rig.tell({ minute: 5, account, alarm: 'disk' });
    assert.partialDeepStrictEqual(await rig.last(), { verdict: 'appended', task, incident: 2 });
  }

  // Of an investigation that failed nothing comes: the other one goes on in its place.
  await rig.tell({ minute: 5, account: '4' });
  await db.query(`update task set state = 'failed', pending_reason = null, finished_at = now() where id = 2`);
  await rig.keep();
  assert.match((await getIncident(db, 2)).needsPerson ?? '', /Task 2 failed/);
  const { tasks } = await merge(rig, 2, [4]);
  assert.deepEqual(
    tasks.filter(({ superseded }) => !superseded).map(({ task }) => task),
    [3, 4],
  );
  assert.match((await messagesOf(rig, 4))[0]!.text, /\n> Alarm disk, account 1: firing/);
  await rig.keep();
  assert.equal((await getIncident(db, 2)).needsPerson, null);
});

test('an alarm that both had is one alarm as it is now, also where it is of a third one too', async () => {
  await using rig = await incidentRig();
  const { db } = rig.deps;
  for (const id of [1, 2, 3]) {
    await rig.tell({ minute: id * 600 });
    if (id < 3) await resolveIncident(db, id, { actor: 'ann' });
    await db.query(`update incident set resolved_at = last_at where state = 'resolved'`);
  }
  await reopenIncident(db, 1, { actor: 'ann' });
  const merged = await merge(rig, 1, [3]);
  assert.deepEqual(
    merged.alarmList.map(({ firing, fired }) => [firing, fired]),
    [[true, 2]],
  );
  await rig.tell({ minute: 1801, state: 'OK' }); // the newest state was the merged one's, not that of incident 2
  assert.partialDeepStrictEqual(await rig.last(), { verdict: 'appended', incident: 1 });
  assert.equal((await getIncident(db, 1)).state, 'settling');
});

test('while alarms arrive in several processes, none is lost and none is in two incidents', async () => {
  await using rig = await incidentRig();
  const { db } = rig.deps;
  const accounts = ['1', '2', '3', '4', '5'];
  for (const account of accounts) await rig.tell({ minute: 0, account, alarm: 'first' });
  const storm = Array.from({ length: 60 }, (_, index) => ({
    account: accounts[index % accounts.length]!,
    alarm: `alarm ${index}`,
    minute: 1 + Math.floor(index / 2),
  }));
  await Promise.all(storm.map(rig.send));
  const mergeAll = async () => {
    for (const [from, into] of [
      [5, 4],
      [3, 2],
      [4, 2],
      [2, 1],
    ] as const)
      await merge(rig, into, [from]);
  };
  await Promise.all([rig.work(), mergeAll(), rig.work(), rig.work()]);
  const all = await getIncident(db, 1);
  assert.equal(all.alarms, storm.length + accounts.length);
  assert.equal(all.fired, storm.length + accounts.length);
  assert.deepEqual(all.accounts, accounts);
  const { rows } = await db.query(
    `select count(distinct incident)::int as incidents, count(*)::int as alarms, (select count(*)::int from incident) as made from incident_alarm`,
  );
  assert.deepEqual(rows, [{ incidents: 1, alarms: all.alarms, made: accounts.length }]);
  assert.deepEqual(
    all.tasks.filter(({ state }) => state !== 'cancelled').map(({ task }) => task),
    [1],
  );
});
