import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { testDatabase } from '../../test/support/database.ts';
import type { WorkOrder } from '../../protocol/worker.ts';
import { archiveProject, getProject, updateProject } from './projects.ts';
import { cancelTask } from './cancel.ts';
import { finishRun } from './finish.ts';
import { getTask } from './queries.ts';
import { addRepository, removeRepository } from './repositories.ts';
import { retryTask } from './retry.ts';
import { aProject, aTask, aWorker, claim, POLICY, report } from './testing/work.ts';

const NAMES = ['a', 'b', 'c'];
const found = (name: string) => ({ name, origin: `/srv/${name}`, hosted: false, defaultBranch: 'trunk' });

test('a task works in all repositories of its project, or in those that are named, and its order says where they lie', async () => {
  await using db = await testDatabase();
  await aProject(db.pool, 'p', {}, NAMES);
  await aWorker(db.pool);
  await aTask(db.pool, 'p', { repositories: ['b'] });
  await aTask(db.pool, 'p', { baseBranch: 'next' });
  const one = (await claim(db.pool))!;
  assert.deepEqual(one.repositories, [
    { id: 2, name: 'b', path: '.', baseBranch: 'main', gitPath: '/git/2.git' },
  ]);
  await finishRun(db.pool, one.run, report(one, { outcome: 'no-change' }), POLICY);
  const all = (await claim(db.pool))!;
  assert.deepEqual(
    all.repositories.map(({ path, baseBranch }) => [path, baseBranch]),
    NAMES.map((name) => [name, 'next']),
  );
  await assert.rejects(aTask(db.pool, 'p', { repositories: ['a', 'x'] }), {
    code: 'ERR_INVALID_INPUT',
    message: /no repository x; it has a, b, c/,
  });
});

test('a verify command names a repository of its project, which is not removed before the command', async () => {
  await using db = await testDatabase();
  const verify = [
    { name: 'all', command: 'true' },
    { name: 'one', command: 'true', in: 'b' },
  ];
  await aProject(db.pool, 'p', { verify }, NAMES);
  const stray = { verify: [{ name: 'x', command: 'true', in: 'd' }] };
  await assert.rejects(updateProject(db.pool, 'p', stray), { code: 'ERR_INVALID_INPUT', remedy: /a, b, c/ });
  await assert.rejects(aProject(db.pool, 'q', stray), { code: 'ERR_INVALID_INPUT' });
  await assert.rejects(removeRepository(db.pool, 'p', 'b'), {
    code: 'ERR_STATE',
    message: /verify commands run in it \(one\)/,
    remedy: /project set p --verify/,
  });
  await updateProject(db.pool, 'p', { verify: [] });
  assert.equal((await removeRepository(db.pool, 'p', 'b')).repositories.length, 2);
});

test('a task that waits for two repositories gets its turn although tasks for one of them keep coming', async () => {
  await using db = await testDatabase();
  await aProject(db.pool, 'p', {}, NAMES);
  await aWorker(db.pool);
  const work = async (repositories: string[]) => await aTask(db.pool, 'p', { repositories });
  await work(['a']);
  await work(['b']);
  const [inA, inB] = [(await claim(db.pool))!, (await claim(db.pool))!];
  const both = await work(['a', 'b']);
  await work(['a']);
  await work(['c']);
  assert.equal((await claim(db.pool))?.task.id, 5, 'the other repository is free');
  await finishRun(db.pool, inA.run, report(inA, { outcome: 'no-change' }), POLICY);
  assert.equal(await claim(db.pool), null, 'nobody overtakes it at the first');
  assert.equal((await getTask(db.pool, both.id)).pendingReason, 'repository');
  await finishRun(db.pool, inB.run, report(inB, { outcome: 'no-change' }), POLICY);
  assert.equal((await claim(db.pool))?.task.id, both.id);
  assert.equal(await claim(db.pool), null);
});

test('a repository is added to tasks to come, and removed when no task is at work there', async () => {
  await using db = await testDatabase();
  await aProject(db.pool);
  await addRepository(db.pool, 'p', found('more'));
  await assert.rejects(addRepository(db.pool, 'p', found('more')), { code: 'ERR_CONFLICT' });
  const task = await aTask(db.pool);
  assert.deepEqual(
    task.repositories.map(({ name, baseBranch }) => [name, baseBranch]),
    [
      ['p', 'main'],
      ['more', 'trunk'],
    ],
  );
  await assert.rejects(removeRepository(db.pool, 'p', 'more'), {
    code: 'ERR_STATE',
    details: { tasks: [1] },
  });
  await assert.rejects(removeRepository(db.pool, 'p', 'x'), { code: 'ERR_NOT_FOUND', remedy: /p, more/ });
  await cancelTask(db.pool, 1, 'ann');
  assert.equal((await removeRepository(db.pool, 'p', 'more')).repositories.length, 1);
  await assert.rejects(removeRepository(db.pool, 'p', 'p'), {
    code: 'ERR_STATE',
    message: /only repository/,
  });
  await assert.rejects(retryTask(db.pool, 1), { code: 'ERR_STATE', message: /works in more/ });
  await addRepository(db.pool, 'p', found('more'));
  assert.deepEqual((await getProject(db.pool, 'p')).repositories.at(-1)?.name, 'more');
  await archiveProject(db.pool, 'p');
  await assert.rejects(addRepository(db.pool, 'p', found('late')), { code: 'ERR_STATE' });
});

const tasks = fc.array(fc.subarray(NAMES, { minLength: 1 }), { minLength: 5, maxLength: 25 });

test(
  'whatever repositories tasks work in, no two runs share one, all are done, and each repository keeps their order',
  { timeout: 120_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(tasks, fc.infiniteStream(fc.nat()), async (wanted, choices) => {
        await using db = await testDatabase();
        await aProject(db.pool, 'p', {}, NAMES);
        await aWorker(db.pool);
        for (const repositories of wanted) await aTask(db.pool, 'p', { repositories });
        const live: WorkOrder[] = [];
        const began = new Map<string, number[]>(NAMES.map((name) => [name, []]));
        for (let left = wanted.length; left > 0;) {
          const order = await claim(db.pool);
          if (order !== null) {
            for (const { name } of order.repositories) {
              assert.ok(
                !live.some((run) => run.repositories.some((each) => each.name === name)),
                `two runs at ${name}`,
              );
              began.get(name)!.push(order.task.id);
            }
            live.push(order);
            continue;
          }
          assert.ok(live.length > 0, 'tasks wait, and nothing runs');
          const [done] = live.splice(choices.next().value! % live.length, 1);
          await finishRun(db.pool, done!.run, report(done!, { outcome: 'no-change' }), POLICY);
          left -= 1;
        }
        for (const [name, order] of began) {
          const expected = wanted.flatMap((names, index) => (names.includes(name) ? [index + 1] : []));
          assert.deepEqual(order, expected, `the order at ${name}`);
        }
      }),
      { numRuns: 8 },
    );
  },
);
