// scripts/provision-worker.sh into a file system of its own: what it puts there, that it sees differences, that it takes it away.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { checkout } from './installable.ts';

const PACKAGES = ['bubblewrap', 'ca-certificates', 'crun', 'curl', 'git', 'socat'];

async function provision(root: string, ...words: string[]) {
  return await new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(path.join(root, 'scripts/provision-worker.sh'), words, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

/** The list of installed packages of a file system, as dpkg keeps it. */
function havePackages(prefix: string): void {
  const entry = (name: string) =>
    `Package: ${name}\nStatus: install ok installed\nMaintainer: m <m@example.org>\nArchitecture: amd64\nVersion: 1\nDescription: d\n\n`;
  mkdirSync(path.join(prefix, 'var/lib/dpkg/info'), { recursive: true });
  mkdirSync(path.join(prefix, 'var/lib/dpkg/updates'));
  writeFileSync(path.join(prefix, 'var/lib/dpkg/status'), PACKAGES.map(entry).join(''));
}

test('a client of Nomad is provisioned once, seen when it differs, mended, and taken back', async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'autocode-provision-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const root = checkout(directory);
  const prefix = path.join(directory, 'root');
  const at = (name: string) => path.join(prefix, name);
  const words = ['--prefix', prefix, '--nomad', '10.77.0.1:4647', '--gateway', '10.77.0.1'];

  const bare = await provision(root, ...words);
  assert.equal(bare.code, 1);
  assert.match(bare.stderr, /lacks packages; install them there first: bubblewrap/);
  havePackages(prefix);

  const before = await provision(root, ...words, '--check');
  assert.equal(before.code, 1);
  assert.match(before.stdout, /the program[^]*toolchains[^]*autocode\.hcl[^]*default route/);
  const first = await provision(root, ...words);
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /ready; next: the command that "autocode worker invite" prints/);
  const client = readFileSync(at('etc/nomad.d/autocode.hcl'), 'utf8');
  assert.match(client, /servers = \["10\.77\.0\.1:4647"\]/);
  assert.match(client, /host_volume "autocode-runner"/);
  assert.match(
    readFileSync(at('etc/systemd/system/autocode-route.service'), 'utf8'),
    /ExecStart=ip route replace default via 10\.77\.0\.1\n/,
  );
  assert.ok(existsSync(at('etc/systemd/system/autocode-runner.socket')));
  assert.equal((await provision(root, ...words)).stdout, 'nothing to do\n');

  // Joined meanwhile: programs of the machine are to trust the authority too.
  writeFileSync(at('etc/autocode/ca.crt'), 'an authority\n', { mode: 0o640 });
  appendFileSync(at('etc/nomad.d/autocode.hcl'), '# changed\n');
  const differs = await provision(root, ...words, '--check');
  assert.equal(differs.code, 1);
  assert.match(differs.stdout, /autocode\.hcl\n[^]*the authority in the certificates of the system/);
  const mended = await provision(root, ...words);
  assert.equal(mended.code, 0, mended.stderr);
  const trusted = at('usr/local/share/ca-certificates/autocode.crt');
  assert.equal(readFileSync(trusted, 'utf8'), 'an authority\n');
  assert.equal((await provision(root, ...words, '--check')).code, 0);

  const gone = await provision(root, ...words, '--uninstall');
  assert.equal(gone.code, 0, gone.stderr);
  for (const name of [
    'etc/nomad.d/autocode.hcl',
    'etc/systemd/system/autocode-route.service',
    'opt/autocode',
    'opt/toolchains',
  ])
    assert.ok(!existsSync(at(name)), name);
  assert.ok(!existsSync(trusted));
  assert.ok(existsSync(at('etc/autocode/ca.crt')), 'settings stay');
});

test('what is no address, no file or no option is refused before anything is done', async () => {
  const root = path.resolve(import.meta.dirname, '../..');
  const table: [string[], RegExp][] = [
    [['--nomad', 'a b'], /is no address of a Nomad server/],
    [['--gateway', 'host'], /is no IP address/],
    [['--ca', '/none'], /\/none cannot be read/],
    [['--quick'], /provision-worker\.sh --nomad SERVER/],
  ];
  for (const [words, message] of table) {
    const { code, stderr } = await provision(root, '--prefix', '/nowhere', ...words);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
  assert.ok(!existsSync('/nowhere'));
});
