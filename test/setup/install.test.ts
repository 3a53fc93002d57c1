// scripts/install.sh with this checkout, into a file system of its own. As root, as on a machine.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

const INSTALL = path.resolve(import.meta.dirname, '../../scripts/install.sh');

function install(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(INSTALL, words, (error, stdout, stderr) =>
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
  const prefix = mkdtempSync(path.join(tmpdir(), 'autocode-install-'));
  t.after(() => rmSync(prefix, { recursive: true }));
  const at = (...parts: string[]) => path.join(prefix, ...parts);
  const before = await install('--prefix', prefix, '--check');
  assert.equal(before.code, 1);
  assert.match(before.stdout, /the user autocode\n[^]*\/opt\/autocode\n[^]*the start with the machine/);
  assert.deepEqual(await listing(prefix).then((lines) => lines.split('\n').filter(Boolean).length), 1);

  const first = await install('--prefix', prefix);
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
  const second = await install('--prefix', prefix);
  assert.deepEqual([second.code, second.stdout], [0, 'nothing to do\n']);
  assert.equal(await listing(prefix), made);
  assert.equal((await install('--prefix', prefix, '--check')).code, 0);

  appendFileSync(at('opt/autocode/orchestrator/main.ts'), '\n');
  rmSync(at('etc/systemd/system/autocode.service'));
  writeFileSync(at('etc/autocode/autocode.yaml'), 'dataDir: /mnt/data/autocode\napi: { port: 7000 }\n');
  writeFileSync(at('mnt/data/autocode/kept'), '');
  const check = await install('--prefix', prefix, '--check');
  assert.equal(check.code, 1);
  assert.deepEqual(check.stdout.split('\n').slice(0, 2), [
    'check: /opt/autocode',
    'check: /etc/systemd/system/autocode*.service',
  ]);
  assert.equal((await install('--prefix', prefix)).code, 0);
  assert.equal((await install('--prefix', prefix, '--check')).code, 0);
  assert.match(readFileSync(at('etc/autocode/autocode.yaml'), 'utf8'), /7000/);

  assert.equal((await install('--prefix', prefix, '--uninstall')).code, 0);
  assert.deepEqual(
    ['opt/autocode', 'usr/local/bin/autocode', 'etc/systemd/system/autocode.service'].filter((file) =>
      existsSync(at(file)),
    ),
    [],
  );
  assert.ok(existsSync(at('mnt/data/autocode/kept')) && existsSync(at('etc/autocode/autocode.yaml')));
  assert.equal((await install('--prefix', prefix, '--uninstall', '--purge')).code, 0);
  assert.ok(!existsSync(at('mnt/data/autocode/kept')) && !existsSync(at('etc/autocode')));
});

test('what cannot be asked for is refused before anything is done', async () => {
  const purge = await install('--purge');
  assert.deepEqual([purge.code, purge.stdout], [2, '']);
  assert.match(purge.stderr, /--purge goes with --uninstall/);
  const unknown = await install('--quick');
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /--check/);
});
