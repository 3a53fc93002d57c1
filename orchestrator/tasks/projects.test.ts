import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { Project, ProjectInput, ProjectPatch } from '../../protocol/project.ts';
import { settledEvents } from '../events/testing/settled.ts';
import { cancelTask } from './cancel.ts';
import { archiveProject, createProject, getProject, listProjects, updateProject } from './projects.ts';
import { projectFigures } from './project-figures.ts';
import { aProject, aTask } from './testing/work.ts';

test('a project is found by name and by number, and the name goes first', async () => {
  await using db = await testDatabase();
  const first = await aProject(db.pool, 'first', { limits: { maxIterations: 2 } });
  const odd = await aProject(db.pool, '1');
  assert.deepEqual(await getProject(db.pool, first.id), Project.parse(first));
  assert.equal((await getProject(db.pool, '1')).id, odd.id);
  assert.equal((await getProject(db.pool, '2')).id, odd.id);
  assert.deepEqual(
    (await listProjects(db.pool)).map((project) => project.name),
    ['1', 'first'],
  );
});

test('an unknown name is answered with the known ones, a taken name with what to do', async () => {
  await using db = await testDatabase();
  await assert.rejects(getProject(db.pool, 'x'), { code: 'ERR_NOT_FOUND', remedy: /project add/ });
  await aProject(db.pool, 'alpha');
  await assert.rejects(getProject(db.pool, 'alpa'), {
    code: 'ERR_NOT_FOUND',
    remedy: /alpha/,
    details: { known: ['alpha'] },
  });
  await assert.rejects(aProject(db.pool, 'alpha'), { code: 'ERR_CONFLICT' });
});

test('a repository that is made for the project gets its number; when that fails there is no project', async () => {
  await using db = await testDatabase();
  const input = ProjectInput.parse({ name: 'hosted' });
  const make = (origin: (id: number) => Promise<string>) =>
    createProject(db.pool, {
      input,
      repositories: [{ name: 'hosted', origin, hosted: true, defaultBranch: 'main' }],
    });
  await assert.rejects(
    make(async () => Promise.reject(new Error('disk full'))),
    /disk full/,
  );
  assert.deepEqual(await listProjects(db.pool), []);
  const project = await make(async (id) => `/forge/${id}.git`);
  const [repository] = project.repositories;
  assert.equal(repository?.origin, `/forge/${repository?.id}.git`);
});

test('a patch changes what it names and nothing else', async () => {
  await using db = await testDatabase();
  const before = await aProject(db.pool, 'p', {
    limits: { maxIterations: 2 },
    verify: [{ name: 'test', command: 'true' }],
  });
  const after = await updateProject(db.pool, 'p', ProjectPatch.parse({ model: 'e/m', defaultBranch: 'dev' }));
  assert.deepEqual(after, {
    ...before,
    model: 'e/m',
    repositories: [{ ...before.repositories[0], defaultBranch: 'dev' }],
  });
  assert.deepEqual((await updateProject(db.pool, 'p', ProjectPatch.parse({ verify: [] }))).verify, []);
  const { data } = (await settledEvents(db.pool)).at(-1)!;
  assert.deepEqual(data, { changed: ['verify'] });
});

test('an editor who saw something else is told what it is now, and nothing is overwritten', async () => {
  await using db = await testDatabase();
  await aProject(db.pool, 'p', { limits: { maxIterations: 2 } });
  const seen = await getProject(db.pool, 'p');
  const was = { limits: seen.limits, agent: seen.agent };
  await updateProject(db.pool, 'p', ProjectPatch.parse({ limits: { maxIterations: 3 }, was }));
  await assert.rejects(
    updateProject(db.pool, 'p', ProjectPatch.parse({ limits: { maxIterations: 4 }, was })),
    {
      code: 'ERR_CONFLICT',
      details: { changed: { limits: { was: { maxIterations: 2 }, is: { maxIterations: 3 } } } },
    },
  );
  assert.deepEqual((await getProject(db.pool, 'p')).limits, { maxIterations: 3 });
  await updateProject(db.pool, 'p', ProjectPatch.parse({ memory: false, was: { memory: true } }));
  assert.equal((await getProject(db.pool, 'p')).memory, false);
});

test('a project is archived when its tasks are done, and stays readable', async () => {
  await using db = await testDatabase();
  await aProject(db.pool);
  await aTask(db.pool);
  await assert.rejects(archiveProject(db.pool, 'p'), { code: 'ERR_STATE', details: { tasks: [1] } });
  await cancelTask(db.pool, 1, 'ann');
  const archived = await archiveProject(db.pool, 'p');
  assert.notEqual(archived.archivedAt, null);
  assert.deepEqual(await archiveProject(db.pool, 'p'), archived);
  assert.deepEqual(await listProjects(db.pool), []);
  assert.equal((await getProject(db.pool, 'p')).id, archived.id);
});

test('what there is to do is counted by project, of those alone that one may see', async () => {
  await using db = await testDatabase();
  await aProject(db.pool, 'busy');
  const idle = await aProject(db.pool, 'idle');
  for (const _ of [1, 2]) await aTask(db.pool, 'busy');
  const none = { waiting: 0, queued: 0, running: 0 };
  const [busy, other] = await projectFigures(db.pool);
  assert.deepEqual(busy, { project: 'busy', ...none, queued: 1, waiting: 1 });
  assert.deepEqual(other, { project: 'idle', ...none });
  assert.deepEqual(await projectFigures(db.pool, [idle.id]), [other]);
});
