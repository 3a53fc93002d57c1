import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeFileAtomic } from './atomic-file.ts';
import {
  readAdminToken,
  readDaemonFile,
  removeDaemonFile,
  writeAdminToken,
  writeDaemonFile,
} from './daemon-file.ts';
import { dataDirectoryError, openDataDirectory } from './data-directory.ts';
import { lockDirectory } from './directory-lock.ts';

function temporaryDirectory(): { path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'autocode-data-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

test('directories are made when they are first used, with their modes', () => {
  using directory = temporaryDirectory();
  const root = join(directory.path, 'a/b');
  const data = openDataDirectory(root);
  assert.deepEqual(readdirSync(root), []);
  assert.equal(data.path('secrets'), join(root, 'secrets'));
  assert.equal(mode(data.path('secrets')), '700');
  assert.equal(mode(data.path('logs/worker')), '750');
  chmodSync(data.path('logs/worker'), 0o755);
  assert.equal(mode(openDataDirectory(root).path('logs/worker')), '755', "the owner's own mode stays");
  assert.deepEqual(readdirSync(root).sort(), ['logs', 'secrets']);
});

test('a place that cannot be a data directory is said with what to do', () => {
  using directory = temporaryDirectory();
  const file = join(directory.path, 'file');
  writeFileSync(file, '');
  assert.throws(() => openDataDirectory(file), { code: 'ERR_DATA_DIRECTORY', message: /not a directory/ });
  assert.throws(() => openDataDirectory(join(file, 'below')), {
    code: 'ERR_DATA_DIRECTORY',
    message: /not a directory/,
  });
  assert.throws(() => openDataDirectory('/sys/autocode'), { code: 'ERR_DATA_DIRECTORY' });
  assert.equal(
    dataDirectoryError('/x', Object.assign(new Error(), { code: 'ENOSPC' })).code,
    'ERR_DISK_FULL',
  );
});

test('a file is written whole, for its owner alone, and nothing is left when it fails', async () => {
  using directory = temporaryDirectory();
  const file = join(directory.path, 'f');
  await writeFileAtomic(file, 'one');
  await writeFileAtomic(file, 'two');
  assert.equal(mode(file), '600');
  await assert.rejects(writeFileAtomic(directory.path, 'x'), { code: 'ERR_DATA_DIRECTORY' });
  assert.deepEqual(readdirSync(directory.path), ['f']);
});

test('the daemon is found by its file while it lives, and not after', async () => {
  using directory = temporaryDirectory();
  const data = openDataDirectory(directory.path);
  assert.equal(readDaemonFile(data.root), undefined);
  await writeDaemonFile(data, { url: 'http://127.0.0.1:1', gatewayUrl: null });
  assert.equal(readDaemonFile(data.root)?.pid, process.pid);
  writeFileSync(
    join(data.path('run'), 'daemon.json'),
    JSON.stringify({ ...readDaemonFile(data.root), startTime: '1' }),
  );
  assert.equal(readDaemonFile(data.root), undefined, 'another process has its number now');
  await removeDaemonFile(data);
  assert.ok(!existsSync(join(data.path('run'), 'daemon.json')));
  await writeAdminToken(data, 'ac_admin_x');
  assert.equal(readAdminToken(data.root), 'ac_admin_x');
  assert.equal(mode(join(data.path('run'), 'admin-token')), '600');
});

test('a directory has one owner for each purpose', async () => {
  using directory = temporaryDirectory();
  const lock = await lockDirectory(directory.path, 'daemon');
  await assert.rejects(lockDirectory(join(directory.path, '.'), 'daemon'), { code: 'ERR_DAEMON_RUNNING' });
  await (await lockDirectory(directory.path, 'other')).release();
  await lock.release();
  await (await lockDirectory(directory.path, 'daemon')).release();
});
