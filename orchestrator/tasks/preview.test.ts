// What would become of a task: told before it is given, by the rules for one that is; nothing is changed by asking.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { testDatabase, type TestDatabase } from '../../test/support/database.ts';
import { startDrain } from './drain.ts';
import { previewTask } from './preview.ts';
import { aProject, aTask, aWorker, claim } from './testing/work.ts';

const DEFAULTS = { actor: 'ann', agent: 'qwen-coder', model: 'gpu/large', priorityMinutes: 10 };
const BOOKS = { timeZone: 'UTC', currency: 'EUR' };

let db: TestDatabase;
before(async () => {
  db = await testDatabase();
  await aProject(db.pool, 'shop');
});
after(async () => await db[Symbol.asyncDispose]());

const preview = async (more = {}, projects?: number[]) =>
  await previewTask(db.pool, { project: 'shop', priority: 0, ...more }, DEFAULTS, BOOKS, projects);
const waitsFor = async (more = {}) => (await preview(more)).waits.map((wait) => wait.for);

test('who would do it is settled as for a task that is given; an unknown project is told', async () => {
  const { agent, model, like, currency } = await preview();
  assert.deepEqual([agent, model, like, currency], ['command', 'gpu/large', null, 'EUR']);
  assert.equal((await preview({ agent: 'qwen-coder' })).agent, 'qwen-coder');
  await assert.rejects(preview({ project: 'none' }), { code: 'ERR_NOT_FOUND' });
  await assert.rejects(preview({}, [99]), { code: 'ERR_NOT_FOUND' }, 'one that is not open to who asks');
});

test('it says what it would wait for: a worker, approval, its turn, a drain', async () => {
  assert.deepEqual(await waitsFor(), ['worker']);
  await aWorker(db.pool);
  assert.deepEqual(await waitsFor(), []);
  assert.deepEqual(await waitsFor({ approvePlan: true }), ['approval']);
  await aTask(db.pool, 'shop');
  await claim(db.pool);
  await aTask(db.pool, 'shop');
  const { waits } = await preview();
  assert.deepEqual(
    waits.map(({ why }) => why),
    ['In shop run 1-1 is at work, and one task waits before it.'],
  );
  assert.match((await preview({ priority: 5 })).waits[0]!.why, /^In shop run 1-1 is at work\.$/);
  await startDrain(db.pool, {}, { deadlineMinutes: 5, atDeadline: 'wait' } as never, 'ann');
  assert.deepEqual(await waitsFor(), ['drain', 'repository']);
});

test('what tasks like it cost is told where there are some', async () => {
  await db.pool.query(
    `insert into task (project, title, body, agent, model, state, attempt, order_key, created_by, finished_at)
     select 1, 't', '', 'command', 'gpu/large', 'completed', 1, now(), 'ann', now() from generate_series(1, 10)`,
  );
  await db.pool.query(
    `insert into usage_day select current_date, 'shop', id, agent, model, 'w', 'ann', '', 1, 1, 0, 1, 0, id * 1000, 0
     from task where state = 'completed'`,
  );
  const { rows } = await db.pool.query<{ ids: number[] }>(
    `select jsonb_agg(id order by id) as ids from task where state = 'completed'`,
  );
  const { like } = await preview();
  assert.deepEqual(
    [like?.of, like?.tasks, like?.median, like?.high],
    ['project and model', 10, rows[0]!.ids[4]! * 1000, rows[0]!.ids[8]! * 1000],
  );
});
