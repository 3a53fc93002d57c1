import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { z } from 'zod';
import { testDatabase } from '../../test/support/database.ts';
import { QuietHours } from '../../protocol/order-of-work.ts';
import { TaskInput } from '../../protocol/task.ts';
import type { Queryable } from '../db/connect.ts';
import { claimRun } from './claim.ts';
import { createTask } from './create.ts';
import { explainTask } from './explain.ts';
import { getTask } from './queries.ts';
import { quietClasses, quietUntil } from './quiet-hours.ts';
import { updateProject } from './projects.ts';
import { sweep } from './sweep.ts';
import { aProject, aTask, aWorker, SETTINGS, SWEEP } from './testing/work.ts';

const hours = (...all: z.input<typeof QuietHours>[]) => all.map((each) => QuietHours.parse(each));
const NIGHT = { from: '22:00', to: '06:00', timeZone: 'Europe/Berlin' };

test('quiet hours are by the wall clock of their time zone, over midnight and over changes to and from summer time', () => {
  const cases: [string, boolean][] = [
    ['2026-01-15T20:59:59Z', false],
    ['2026-01-15T21:00:00Z', true], // 22:00 in winter
    ['2026-01-16T04:59:00Z', true],
    ['2026-01-16T05:00:00Z', false],
    ['2026-07-15T20:00:00Z', true], // 22:00 in summer
    ['2026-07-16T04:00:00Z', false],
    ['2026-03-29T03:59:00Z', true], // 05:59 of the night that lacks an hour
    ['2026-03-29T04:00:00Z', false],
    ['2026-10-25T04:59:00Z', true], // 05:59 of the night with an hour twice
    ['2026-10-25T05:00:00Z', false],
  ];
  for (const [at, quiet] of cases)
    assert.equal(quietClasses(new Date(at), hours(NIGHT)).includes('ticket'), quiet, at);
});

test('days are those on which they begin, and the same time twice is a whole day', () => {
  const weekend = hours({ days: ['sat'], from: '18:00', to: '09:00' });
  const at = (text: string) => quietClasses(new Date(text), weekend).includes('person');
  assert.deepEqual(
    ['2026-11-21T17:59Z', '2026-11-21T18:00Z', '2026-11-22T08:59Z', '2026-11-22T18:00Z'].map(at),
    [false, true, true, false],
  );
  const sunday = hours({ days: ['sun'], from: '00:00', to: '00:00' });
  assert.equal(quietClasses(new Date('2026-11-22T23:59Z'), sunday).length, 3);
  assert.deepEqual(quietClasses(new Date('2026-11-23T00:00Z'), sunday), []);
});

test('they are over when all that follow one another are, but for classes that are excepted', () => {
  const both = hours(NIGHT, {
    from: '06:00',
    to: '08:30',
    timeZone: 'Europe/Berlin',
    except: ['incident', 'person'],
  });
  const at = new Date('2026-03-28T23:00:00Z');
  assert.equal(quietUntil(at, both, 'ticket').toISOString(), '2026-03-29T06:30:00.000Z');
  assert.equal(quietUntil(at, both, 'person').toISOString(), '2026-03-29T04:00:00.000Z');
  assert.equal(quietUntil(at, both, 'incident').toISOString(), at.toISOString());
});

const claimIn = async (db: Queryable, quietHours: QuietHours[]) =>
  await claimRun(
    db,
    { worker: 'w', claimId: randomUUID() },
    { ...SETTINGS, scheduling: { ...SETTINGS.scheduling, quietHours } },
  );
const sweepIn = async (db: Queryable, quietHours: QuietHours[]) =>
  await sweep(db, { ...SWEEP, scheduling: { ...SWEEP.scheduling, quietHours } });

/** A whole day, every day. */
const ALWAYS = hours({ from: '00:00', to: '00:00' });

test('in quiet hours no run begins but for incidents, which pass the others at their repository', async () => {
  await using db = await testDatabase();
  await aProject(db.pool);
  await aWorker(db.pool);
  const first = await aTask(db.pool);
  const { task: incident } = await createTask(db.pool, TaskInput.parse({ project: 'p', title: 'look' }), {
    actor: 'alarms',
    agent: 'command',
    model: null,
    from: { source: 'alarms', class: 'incident' },
  });
  assert.equal((await claimIn(db.pool, ALWAYS))?.task.id, incident.id);
  assert.equal(await claimIn(db.pool, ALWAYS), null);
  const settings = { ...SETTINGS, scheduling: { ...SETTINGS.scheduling, quietHours: ALWAYS } };
  const { waits } = await explainTask(db.pool, first.id, settings);
  assert.deepEqual(
    waits.map((wait) => wait.for),
    ['repository', 'quiet-hours'],
  );
  assert.match(waits[1]!.why, /No run of a person begins in quiet hours, which last until \d{4}-/);
});

test('a sweep notes that they begin and end, whether the clock or somebody has moved them', async () => {
  await using db = await testDatabase();
  await aProject(db.pool);
  await aWorker(db.pool);
  const { id } = await aTask(db.pool);
  assert.equal((await sweepIn(db.pool, ALWAYS)).quietHours, 1);
  assert.equal((await getTask(db.pool, id)).state, 'pending');
  assert.equal((await sweepIn(db.pool, ALWAYS)).quietHours, 0);
  await updateProject(db.pool, 'p', { quietHours: [] });
  assert.equal((await sweepIn(db.pool, ALWAYS)).quietHours, 1);
  assert.equal((await getTask(db.pool, id)).state, 'queued');
  assert.equal((await claimIn(db.pool, ALWAYS))?.task.id, id);
});
