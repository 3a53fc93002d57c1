import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { clusterPath, openDataDirectory } from '../config/data-directory.ts';
import { lockDirectory } from '../config/directory-lock.ts';
import { connect } from '../db/connect.ts';
import { migrate } from '../db/migrate.ts';
import { startPostgres } from '../db/supervisor.ts';
import { fileSecrets } from '../secrets/file.ts';
import { verifyBackup } from './archive.ts';
import { createBackup } from './create.ts';
import { restoreBackup } from './restore.ts';

const root = mkdtempSync(join(tmpdir(), 'autocode-backup-'));
const dataDir = join(root, 'first');
const archive = join(root, 'backup.tar.gz');
const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' }).trim();

// A data directory with a bit of everything, backed up while its database runs.
before(async () => {
  const directory = openDataDirectory(dataDir);
  const postgres = await startPostgres({ cluster: clusterPath(dataDir) });
  const db = connect({ url: postgres.url });
  try {
    await migrate(db);
    const hosted = join(directory.path('worker-artifacts/projects'), '1', 'forge.git');
    mkdirSync(join(directory.path('worker-artifacts/projects'), '1'));
    git('init', '--quiet', '--bare', hosted);
    const tree = git('--git-dir', hosted, 'write-tree');
    const commit = git(
      '--git-dir',
      hosted,
      '-c',
      'user.name=t',
      '-c',
      'user.email=t@t',
      'commit-tree',
      '-m',
      'one',
      tree,
    );
    git('--git-dir', hosted, 'update-ref', 'refs/heads/main', commit);
    await db.query(`
      insert into project (name) values ('p');
      insert into repository (project, name, origin, hosted, default_branch) values (1, 'p', '${hosted}', true, 'main');
      insert into task (project, title, body, agent, model, state, order_key, created_by, attempt)
        values (1, 'ü', 'b', 'a', 'm', 'running', now(), 'me', 1);
      insert into task_repository (task, repository, position, base_branch, order_key, waiting)
        values (1, 1, 1, 'main', now(), false);
      insert into worker (name, host, version, capacity, state) values ('w', 'h', '1', 1, 'online');
      insert into run (id, task, fence, state, worker, claim_id, agent, model, isolation, deadline, lease_until)
        values ('1-1', 1, 1, 'working', 'w', gen_random_uuid(), 'a', 'm', 'directory', now() + interval '1 h', now() + interval '1 h');
      insert into token (name, role, hash, run) values ('run 1-1', 'run', '\\x01', '1-1'), ('admin', 'admin', '\\x02', null);
      insert into event (kind) values ('task.created'), ('run.leased');`);
    mkdirSync(join(directory.path('logs/worker'), '1'));
    writeFileSync(join(directory.path('logs/worker'), '1/1-1.events.log'), 'line\n'.repeat(1000));
    writeFileSync(join(directory.path('worker-artifacts/results'), 'Cargo.lock'), 'kept');
    await fileSecrets(directory.path('secrets')).put('key', 'value');

    // The log grows while it is copied.
    const growing = setInterval(
      () => appendFileSync(join(dataDir, 'logs/worker/1/1-1.events.log'), 'more\n'),
      1,
    );
    const summary = await createBackup({ dataDir, file: archive });
    clearInterval(growing);
    assert.equal(summary.file, archive);
    assert.equal(statSync(archive).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(join(dataDir, 'backups')), []);
  } finally {
    await db.end();
    await postgres.stop();
  }
});

after(() => rmSync(root, { recursive: true, force: true }));

test('what is restored elsewhere is what was backed up, and its live runs begin anew', async () => {
  const restored = join(root, 'second');
  const manifest = await verifyBackup(archive);
  assert.equal(manifest.dataDir, dataDir);
  const summary = await restoreBackup({ file: archive, dataDir: restored });
  assert.equal(summary.lostRuns, 1);
  assert.ok(!existsSync(join(restored, '.restoring')));
  assert.deepEqual(await fileSecrets(join(restored, 'secrets')).get('key'), { value: 'value', version: 1 });
  assert.equal(readFileSync(join(restored, 'worker-artifacts/results/Cargo.lock'), 'utf8'), 'kept');
  assert.ok(
    readFileSync(join(restored, 'logs/worker/1/1-1.events.log'), 'utf8').startsWith('line\n'.repeat(1000)),
  );

  const postgres = await startPostgres({ cluster: clusterPath(restored) });
  const db = connect({ url: postgres.url });
  try {
    assert.deepEqual(await migrate(db), []);
    const { rows } = await db.query<{
      title: string;
      origin: string;
      expired: boolean;
      xids: string[];
      open: string[];
    }>(`
      select task.title, repository.origin, run.lease_until < now() as expired,
        (select array_agg(distinct xid::text) from event) as xids,
        (select array_agg(name) from token where revoked_at is null) as open
      from run join task on task.id = run.task join task_repository own on own.task = task.id
        join repository on repository.id = own.repository`);
    const origin = join(restored, 'worker-artifacts/projects/1/forge.git');
    assert.deepEqual(rows, [{ title: 'ü', origin, expired: true, xids: ['0'], open: ['admin'] }]);
    assert.equal(git('--git-dir', origin, 'log', '--format=%s', 'main'), 'one');
    git('--git-dir', origin, 'fsck', '--strict');
    await db.query(`insert into event (kind) values ('after')`); // a later transaction is behind the restored ones
    const last = await db.query<{ kind: string }>(
      'select kind from event order by xid desc, id desc limit 1',
    );
    assert.equal(last.rows[0]?.kind, 'after');
  } finally {
    await db.end();
    await postgres.stop();
  }
});

test('a backup is made without the daemon too, and never over a file', async () => {
  const summary = await createBackup({ dataDir });
  assert.ok(summary.file.startsWith(join(dataDir, 'backups/autocode-')));
  await verifyBackup(summary.file);
  await assert.rejects(createBackup({ dataDir, file: summary.file }), { code: 'ERR_BACKUP' });
  await assert.rejects(createBackup({ dataDir: join(root, 'nothing') }), /holds no database/);
});

test('a restore refuses a directory that holds something, or that another one fills', async () => {
  await assert.rejects(restoreBackup({ file: archive, dataDir }), /is not empty/);
  const busy = join(root, 'busy');
  mkdirSync(busy);
  const lock = await lockDirectory(busy, 'restore');
  await assert.rejects(restoreBackup({ file: archive, dataDir: busy }), { code: 'ERR_DAEMON_RUNNING' });
  await lock.release();
});

test('a damaged archive is noticed before anything is kept', async () => {
  const target = join(root, 'third');
  const short = join(root, 'short.tar.gz');
  writeFileSync(short, readFileSync(archive));
  truncateSync(short, statSync(short).size - 5_000);
  await assert.rejects(restoreBackup({ file: short, dataDir: target }), { code: 'ERR_BACKUP' });
  assert.deepEqual(readdirSync(target), []);

  const unpacked = join(root, 'unpacked');
  mkdirSync(unpacked);
  execFileSync('tar', ['-xzf', archive, '-C', unpacked]);
  appendFileSync(join(unpacked, 'files/worker-artifacts/results/Cargo.lock'), '!');
  const changed = join(root, 'changed.tar.gz');
  execFileSync('tar', ['-czf', changed, '-C', unpacked, ...readdirSync(unpacked)]);
  await assert.rejects(verifyBackup(changed), /Cargo\.lock/);
  await assert.rejects(verifyBackup(join(root, 'none.tar.gz')), { code: 'ERR_BACKUP' });
});

test('an interrupted restore keeps the daemon away and begins anew', async () => {
  const target = join(root, 'fourth');
  mkdirSync(join(target, '.restoring/unpacked'), { recursive: true });
  mkdirSync(join(target, 'config'));
  assert.throws(() => openDataDirectory(target), /was interrupted/);
  await restoreBackup({ file: archive, dataDir: target });
  openDataDirectory(target);
});
