// scripts/install.sh with the sources of this checkout, into a file system of its own. As root, as on a machine. Stand-ins take
// the place of what the set-up downloads, half a gigabyte.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { checkout } from './installable.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

async function install(root: string, ...words: string[]) {
  return await new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(path.join(root, 'scripts/install.sh'), words, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

/** Every path below a directory with mode, owner, size and time of change, as `find` has them. */
function listing(directory: string): Promise<string> {
  const format = '%P %M %U %G %s %T@ %l\\n';
  return new Promise((resolve, reject) => {
    execFile('find', [directory, '-printf', format], { maxBuffer: 1 << 28 }, (error, stdout) =>
      error === null ? resolve(stdout.split('\n').toSorted().join('\n')) : reject(error),
    );
  });
}

test('an installation is made once, seen when it differs, mended, and taken away without the data', async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'autocode-install-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const root = checkout(directory);
  const prefix = path.join(directory, 'root');
  const at = (...parts: string[]) => path.join(prefix, ...parts);
  const before = await install(root, '--prefix', prefix, '--check');
  assert.equal(before.code, 1);
  assert.match(before.stdout, /the user autocode\n[^]*\/opt\/autocode\n[^]*the start with the machine/);
  assert.ok(!existsSync(prefix));

  const first = await install(root, '--prefix', prefix);
  assert.equal(first.code, 0, first.stderr);
  const [, , uid, gid] = /^autocode:(.*)$/m.exec(readFileSync(at('etc/passwd'), 'utf8'))![0].split(':');
  const data = statSync(at('mnt/data/autocode'));
  assert.deepEqual([data.uid, data.gid], [Number(uid), Number(gid)]);
  const settings = statSync(at('etc/autocode/autocode.yaml'));
  assert.deepEqual([settings.mode & 0o777, settings.uid, settings.gid], [0o640, 0, Number(gid)]);
  assert.ok(existsSync(at('etc/systemd/system/multi-user.target.wants')));
  const program = statSync(at('opt/autocode/autocode'));
  assert.deepEqual([program.uid, program.mode & 0o022], [0, 0]);

  const made = await listing(prefix);
  const second = await install(root, '--prefix', prefix);
  assert.deepEqual([second.code, second.stdout], [0, 'nothing to do\n']);
  assert.equal(await listing(prefix), made);
  assert.equal((await install(root, '--prefix', prefix, '--check')).code, 0);

  appendFileSync(at('opt/autocode/orchestrator/main.ts'), '\n');
  rmSync(at('etc/systemd/system/autocode.service'));
  writeFileSync(at('etc/autocode/autocode.yaml'), 'dataDir: /mnt/data/autocode\napi: { port: 7000 }\n');
  writeFileSync(at('mnt/data/autocode/kept'), '');
  const check = await install(root, '--prefix', prefix, '--check');
  assert.equal(check.code, 1);
  assert.deepEqual(check.stdout.split('\n').slice(0, 2), [
    'check: /opt/autocode',
    'check: /etc/systemd/system/autocode*.service',
  ]);
  assert.equal((await install(root, '--prefix', prefix)).code, 0);
  assert.equal((await install(root, '--prefix', prefix, '--check')).code, 0);
  assert.match(readFileSync(at('etc/autocode/autocode.yaml'), 'utf8'), /7000/);

  assert.equal((await install(root, '--prefix', prefix, '--uninstall')).code, 0);
  assert.deepEqual(
    ['opt/autocode', 'usr/local/bin/autocode', 'etc/systemd/system/autocode.service'].filter((file) =>
      existsSync(at(file)),
    ),
    [],
  );
  assert.ok(existsSync(at('mnt/data/autocode/kept')) && existsSync(at('etc/autocode/autocode.yaml')));
  assert.equal((await install(root, '--prefix', prefix, '--uninstall', '--purge')).code, 0);
  assert.ok(!existsSync(at('mnt/data/autocode/kept')) && !existsSync(at('etc/autocode')));
});

test('what cannot be asked for is refused before anything is done', async () => {
  const purge = await install(ROOT, '--purge');
  assert.deepEqual([purge.code, purge.stdout], [2, '']);
  assert.match(purge.stderr, /--purge goes with --uninstall/);
  const unknown = await install(ROOT, '--quick');
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /--check/);
});

test('a machine under Nomad has the runner service and its socket, and a worker of its own only instead', async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'autocode-install-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const root = checkout(directory);
  const prefix = path.join(directory, 'root');
  const units = path.join(prefix, 'etc/systemd/system');
  const first = await install(root, '--prefix', prefix, '--runner');
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /next: systemctl start autocode-runner /);
  const wanted = (target: string) => readdirSync(path.join(units, `${target}.target.wants`));
  assert.deepEqual(wanted('sockets'), ['autocode-runner.socket']);
  assert.deepEqual(wanted('multi-user'), ['autocode-runner.service']);
  assert.ok(existsSync(path.join(prefix, 'etc/autocode/worker.env')));
  assert.equal((await install(root, '--prefix', prefix, '--runner', '--check')).code, 0);

  const worker = await install(root, '--prefix', prefix, '--worker');
  assert.equal(worker.code, 1);
  assert.match(
    worker.stderr,
    /a machine has that or autocode-worker.service: systemctl disable --now autocode-runner/,
  );

  assert.equal((await install(root, '--prefix', prefix, '--uninstall')).code, 0);
  // Nor a link to any of them.
  assert.deepEqual(
    readdirSync(units, { recursive: true }).filter((name) => String(name).includes('autocode')),
    [],
  );
});
