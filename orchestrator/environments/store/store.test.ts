import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { testDatabase } from '../../../test/support/database.ts';
import type { Queryable } from '../../db/connect.ts';
import { aProject, aTask, aWorker, claim } from '../../tasks/testing/work.ts';
import { updateProject } from '../../tasks/projects.ts';
import { environmentOfRun, mappedEnvironment } from '../of-run.ts';
import { archiveOfEntries, folder, LEAST, type Entry } from '../testing/archives.ts';
import {
  archivePath,
  getEnvironment,
  importEnvironment,
  listEnvironments,
  pruneEnvironments,
  removeEnvironment,
} from './store.ts';

const stopping = new AbortController().signal;

async function withStore(
  use: (parts: {
    db: Queryable;
    directory: string;
    add(name: string, more?: Entry[]): ReturnType<typeof importEnvironment>;
    send(body: Readable, maxBytes?: number): ReturnType<typeof importEnvironment>;
    store: Parameters<typeof importEnvironment>[0];
  }) => Promise<void>,
): Promise<void> {
  await using database = await testDatabase();
  const directory = mkdtempSync(path.join(tmpdir(), 'autocode-store-'));
  const store = { db: database.pool, directory, maxBytes: 10_000, stopping };
  const about = { source: 'a test', actor: 'ann' };
  try {
    await use({
      db: database.pool,
      directory,
      store,
      add: async (name, more = []) =>
        await importEnvironment(store, { name, ...about }, archiveOfEntries([...LEAST, ...more])),
      send: async (body, maxBytes = 10_000) =>
        await importEnvironment({ ...store, maxBytes }, { name: 'e', ...about }, body),
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('an archive is kept under its digest; the same one twice is one, a new one the next version of its name', async () => {
  await withStore(async ({ db, directory, add }) => {
    const first = await add('small');
    assert.deepEqual([first.name, first.files, first.bytes, first.source], ['small', 3, 2, 'a test']);
    assert.equal((await add('other')).digest, first.digest);
    assert.deepEqual(readdirSync(directory), [`${first.digest}.tar.zst`]);
    const second = await add('small', [{ name: 'root/bin/cc', text: 'cc' }]);
    assert.notEqual(second.digest, first.digest);
    assert.deepEqual(
      (await listEnvironments(db)).map(({ name, digest }) => [name, digest]),
      [
        ['other', first.digest],
        ['small', second.digest],
      ],
    );
    await assert.rejects(getEnvironment(db, 'smal'), { code: 'ERR_NOT_FOUND', remedy: /other, small/ });
    await assert.rejects(add('host'), { code: 'ERR_INVALID_INPUT' });
  });
});

test('an archive goes when no name and no live run has it, and what a crash left after an hour', async () => {
  await withStore(async ({ db, directory, store, add }) => {
    const { digest: old } = await add('small');
    await aProject(db, 'p', { environment: 'small', isolation: 'bubblewrap' });
    await aWorker(db);
    await aTask(db);
    const { run } = (await claim(db, 'w'))!;
    assert.deepEqual(await environmentOfRun(db, run, []), { name: 'small', digest: old });
    const { digest: now } = await add('small', [folder('root/usr')]);
    assert.deepEqual(await environmentOfRun(db, run, []), { name: 'small', digest: old }, 'it was decided');
    assert.ok(existsSync(archivePath(directory, old)), 'a live run has it');
    await db.query(`update run set state = 'failed'`);
    writeFileSync(path.join(directory, '.receiving-new'), '');
    writeFileSync(path.join(directory, '.receiving-old'), '');
    utimesSync(path.join(directory, '.receiving-old'), 0, 0);
    assert.equal(await pruneEnvironments(store), 2);
    assert.deepEqual(readdirSync(directory).sort(), ['.receiving-new', `${now}.tar.zst`]);
    await assert.rejects(removeEnvironment(store, 'small'), { code: 'ERR_CONFLICT', message: /that of p/ });
    await updateProject(db, 'p', { environment: 'host' });
    await removeEnvironment(store, 'small');
    assert.deepEqual(readdirSync(directory), ['.receiving-new']);
  });
});

test('an archive that is not as this program makes them leaves nothing behind', async () => {
  await withStore(async ({ db, directory, send }) => {
    const cases: [RegExp, Entry[]][] = [
      [/no root directory/, []],
      [/no \/bin\/sh/, [folder('root')]],
      [/not a path below root/, [{ name: 'etc/passwd', text: 'x' }]],
      [/not a path below root/, [folder('root'), { name: 'root/../x', text: 'x' }]],
      [/not a path below root/, [folder('root'), { name: '/root/x', text: 'x' }]],
      [/comes twice/, [...LEAST, { name: 'root/bin/sh', text: 'x' }]],
      [/in no directory that came before/, [folder('root'), { name: 'root/a/b', text: 'x' }]],
      [
        /in no directory that came before/,
        [folder('root'), { name: 'root/a', kind: 'link', target: '/etc' }, { name: 'root/a/b', text: 'x' }],
      ],
      [/root" is no directory/, [{ name: 'root', kind: 'link', target: '/' }]],
      [/root\/etc" is no directory/, [folder('root'), { name: 'root/etc', kind: 'link', target: '/etc' }]],
      [/not for an environment to bring/, [folder('root'), folder('root/proc')]],
      [/no file that came before/, [...LEAST, { name: 'root/x', kind: 'hard-link', target: 'root/y' }]],
      [
        /no file that came before/,
        [...LEAST, { name: 'root/x', kind: 'hard-link', target: '../../etc/shadow' }],
      ],
      [/is a device or a pipe/, [...LEAST, { name: 'root/null', type: '3' }]],
      [/link to nothing/, [...LEAST, { name: 'root/x', kind: 'link', target: '' }]],
      [/more than 0\.0 GB/, [...LEAST, { name: 'root/x', text: 'x'.repeat(10_001) }]],
    ];
    for (const [message, entries] of cases)
      await assert.rejects(
        async () => await send(archiveOfEntries(entries)),
        { code: 'ERR_ENVIRONMENT', message },
        String(message),
      );
    await assert.rejects(send(Readable.from([Buffer.from('not zstd at all')])), {
      message: /not compressed with zstd/,
    });
    const whole = await archiveOfEntries(LEAST).toArray();
    await assert.rejects(send(Readable.from([Buffer.concat(whole as Buffer[]).subarray(0, -20)])), {
      code: 'ERR_ENVIRONMENT',
    });
    await assert.rejects(async () => await send(archiveOfEntries(LEAST, { 'A-B': 'x' })), {
      message: /environment\.json is not valid/,
    });
    const broken = new Readable({ read() {} });
    broken.push(whole[0]);
    setImmediate(() => broken.destroy(new Error('the connection is gone')));
    await assert.rejects(send(broken), /the connection is gone/);
    assert.deepEqual([readdirSync(directory), await listEnvironments(db)], [[], []]);
  });
});

test('set-user-id bits do not come in, whatever the archive says', async () => {
  await withStore(async ({ send }) => {
    const plain = await send(archiveOfEntries([...LEAST, { name: 'root/bin/su', text: 'x' }]));
    const hostile = await send(
      archiveOfEntries([...LEAST, { name: 'root/bin/su', text: 'x', rawMode: 0o6755 }]),
    );
    assert.equal(hostile.digest, plain.digest);
  });
});

test("a run's environment is its project's, else that of its file, else that of the map; none without a sandbox", async () => {
  await withStore(async ({ db, add }) => {
    await add('own');
    await add('of-file');
    await add('mapped');
    const map = [{ match: '/srv/*', environment: 'mapped' }];
    await aProject(db, 'p', { isolation: 'bubblewrap' });
    await aWorker(db);
    const run = async (change: string) => {
      await aTask(db);
      const order = (await claim(db, 'w'))!;
      await db.query(change.replaceAll('$run', `'${order.run}'`));
      const decided = async () => (await environmentOfRun(db, order.run, map))?.name;
      return await decided().finally(async () => {
        await db.query(`update run set state = 'failed' where id = '${order.run}'`);
        await db.query(`update task set state = 'failed'`);
        await db.query('update repository_claim set released_at = now() where released_at is null');
      });
    };
    assert.equal(await run('select 1'), 'mapped');
    assert.equal(await run(`update run set file = '{"environment":"of-file"}' where id = $run`), 'of-file');
    await updateProject(db, 'p', { environment: 'own' });
    assert.equal(await run(`update run set file = '{"environment":"of-file"}' where id = $run`), 'own');
    assert.equal(await run(`update task set environment = 'mapped' where state = 'running'`), 'mapped');
    await assert.rejects(updateProject(db, 'p', { isolation: 'directory' }), { code: 'ERR_ENVIRONMENT' });
    await updateProject(db, 'p', { environment: 'host' });
    assert.equal(await run('select 1'), undefined);
    await updateProject(db, 'p', { fromFile: ['environment'], isolation: 'directory' });
    await assert.rejects(run('select 1'), { code: 'ERR_ENVIRONMENT', message: /mapped needs a sandbox/ });
    await updateProject(db, 'p', { isolation: 'bubblewrap' });
    await assert.rejects(run(`update run set file = '{"environment":"gone"}' where id = $run`), {
      code: 'ERR_ENVIRONMENT',
      message: /no environment gone, which is named by \.autocode\.yaml/,
    });
    await assert.rejects(updateProject(db, 'p', { environment: 'gone' }), { code: 'ERR_NOT_FOUND' });
  });
});

test('the map knows a repository by its address in whichever form, the first match counts', () => {
  const map = [
    { match: 'github.com/acme/web-*', environment: 'web' },
    { match: 'github.com/acme/*', environment: 'acme' },
    { match: '/srv/git/*', environment: 'local' },
  ];
  const cases: [string, string | null][] = [
    ['https://github.com/acme/web-shop.git', 'web'],
    ['git@github.com:acme/shop', 'acme'],
    ['ssh://git@GitHub.com:22/acme/shop.git', 'acme'],
    ['https://token@github.com/acme/shop/', 'acme'],
    ['https://github.com/acmes/shop', null],
    ['https://git.example.com/github.com/acme/shop', null],
    ['/srv/git/a/b', 'local'],
    ['/home/ann/shop', null],
  ];
  for (const [origin, wanted] of cases) assert.equal(mappedEnvironment(map, origin), wanted, origin);
});
