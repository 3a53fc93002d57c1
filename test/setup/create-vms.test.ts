// What scripts/create-vms --dry-run prints, held against libvirt's own schemas; creation against stand-ins for libvirt's programs.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'yaml';

const SCRIPT = path.resolve(import.meta.dirname, '../../scripts/create-vms');
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0 admin@example.org\n';
const run = promisify(execFile);

async function createVms(words: string[], env: Record<string, string> = {}) {
  return await new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(SCRIPT, words, { env: { PATH: process.env.PATH, ...env } }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

function scratch(t: { after(done: () => void): void }): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'autocode-vms-'));
  t.after(() => rmSync(directory, { recursive: true }));
  writeFileSync(path.join(directory, 'key.pub'), KEY);
  return directory;
}

test('the network and four domains are as libvirt wants them, and cloud-init gets YAML', async (t) => {
  const directory = scratch(t);
  const { code, stdout, stderr } = await createVms([
    '--dry-run',
    '--ssh-key',
    path.join(directory, 'key.pub'),
  ]);
  assert.equal(code, 0, stderr);
  const parts = stdout
    .split(/^--- /m)
    .slice(1)
    .map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)] as const);
  assert.equal(parts.length, 1 + 4 * 4);
  for (const [name, content] of parts) {
    const [kind = ''] = name.split(' ');
    if (kind !== 'network' && kind !== 'domain') continue;
    const file = path.join(directory, `${name}.xml`);
    writeFileSync(file, content);
    await run('virt-xml-validate', [file, kind]);
  }
  const of = (name: string) => parts.find(([each]) => each === name)?.[1] ?? '';
  assert.doesNotMatch(of('network'), /<forward/, 'nothing is let through to other networks');
  const third = of('domain autocode-vm-3');
  assert.match(third, /<memory unit='GiB'>8<[^]*<vcpu>64</);
  const mac = /mac address='([^']+)'/.exec(third)?.[1];
  const network = parse(of('network-config autocode-vm-3')) as {
    ethernets: { primary: { match: { macaddress: string }; addresses: string[]; routes: object[] } };
  };
  assert.equal(network.ethernets.primary.match.macaddress, mac);
  assert.deepEqual(network.ethernets.primary.addresses, ['10.77.0.13/24']);
  assert.deepEqual(network.ethernets.primary.routes, [{ to: 'default', via: '10.77.0.1' }]);
  const user = parse(of('user-data autocode-vm-3')) as {
    hostname: string;
    users: { ssh_authorized_keys: string[] }[];
  };
  assert.match(of('user-data autocode-vm-3'), /^#cloud-config\n/);
  assert.equal(user.hostname, 'autocode-vm-3');
  assert.deepEqual(user.users[0]?.ssh_authorized_keys, [KEY.trim()]);
  const meta = parse(of('meta-data autocode-vm-3')) as object;
  assert.deepEqual(meta, { 'instance-id': 'autocode-vm-3', 'local-hostname': 'autocode-vm-3' });
});

// Stand-ins that note how they were called, and keep what is defined as files.
const VIRSH = `#!/bin/bash
echo "virsh $*" >> "$STATE/calls"
case $1 in
  net-define | define) touch "$STATE/$1" "$STATE/$(sed -n 's:.*<name>\\(.*\\)</name>:\\1:p' "$2" | head -n 1)-$1" ;;
  net-info) [[ -e $STATE/$2-net-define ]] && { [[ ! -e $STATE/$2-active ]] || echo 'Active:         yes'; } ;;
  net-start | start) touch "$STATE/$2-active" ;;
  net-destroy | destroy) rm -f "$STATE/$2-active" ;;
  net-undefine) rm -f "$STATE/$2-net-define" ;;
  undefine) rm -f "$STATE/$2-define" ;;
  dominfo) [[ -e $STATE/$2-define ]] && printf 'State:          %s\\nCPU(s):         2\\nMax memory:     1048576 KiB\\n' \\
    "$([[ -e $STATE/$2-active ]] && echo running || echo 'shut off')" ;;
esac
`;
const QEMU_IMG = `#!/bin/bash
[[ $1 != convert ]] || cp "$4" "$5"
`;
const LOCALDS = `#!/bin/bash
cat "\${@:3}" > "$2"
`;

test('VMs are made once, seen when they are not there, and removed with their disks', async (t) => {
  const directory = scratch(t);
  const bin = path.join(directory, 'bin');
  const state = path.join(directory, 'state');
  for (const each of [bin, state]) mkdirSync(each);
  for (const [name, content] of Object.entries({
    virsh: VIRSH,
    'qemu-img': QEMU_IMG,
    'cloud-localds': LOCALDS,
  })) {
    writeFileSync(path.join(bin, name), content);
    chmodSync(path.join(bin, name), 0o755);
  }
  const image = path.join(directory, 'image.qcow2');
  writeFileSync(image, 'an image');
  const disks = path.join(directory, 'disks');
  const env = { PATH: `${bin}:${process.env.PATH}`, STATE: state };
  const size = ['--count', '2', '--cpus', '2', '--memory', '1', '--directory', disks];
  const vms = async (...words: string[]) => await createVms([...size, ...words], env);

  const none = await vms('--check');
  assert.equal(none.code, 1);
  assert.match(
    none.stdout,
    /network autocode-vm is not there[^]*autocode-vm-1 is not there[^]*autocode-vm-2 is/,
  );
  const wanted = ['--image', image, '--ssh-key', path.join(directory, 'key.pub')];
  const made = await vms(...wanted);
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /created: the network[^]*runs: autocode-vm-2 at 10\.77\.0\.12/);
  assert.equal(readFileSync(path.join(disks, 'autocode-vm-2.qcow2'), 'utf8'), 'an image');
  assert.equal((await vms('--check')).stdout, 'all VMs are there and run\n');

  writeFileSync(path.join(disks, 'autocode-vm-1.qcow2'), 'with data');
  assert.equal((await vms(...wanted)).code, 0, 'again');
  assert.equal(readFileSync(path.join(disks, 'autocode-vm-1.qcow2'), 'utf8'), 'with data', 'disks stay');
  const calls = readFileSync(path.join(state, 'calls'), 'utf8');
  assert.equal(calls.match(/virsh start /g)?.length, 2, 'one that runs is not started again');
  assert.match((await vms('--check', '--memory', '2')).stdout, /autocode-vm-1 has not 2 GiB of memory/);

  assert.equal((await vms('--destroy')).code, 2, 'it is not done unasked');
  assert.equal((await vms('--destroy', '--yes')).code, 0);
  assert.ok(!existsSync(path.join(disks, 'autocode-vm-1.qcow2')));
  assert.equal((await vms('--check')).code, 1);
});

test('what would not fit into XML or YAML, or is missing, is refused', async (t) => {
  const directory = scratch(t);
  writeFileSync(path.join(directory, 'bad.pub'), "ssh-ed25519 AAAA it's me\n");
  const table: [string[], RegExp][] = [
    [['--dry-run', '--name', "a'b"], /use a-z, 0-9 and dashes/],
    [['--dry-run', '--count', '0'], /--count needs a number, not 0/],
    [['--dry-run', '--network', '10.77.0.0/24'], /the first three numbers/],
    [['--dry-run', '--ssh-key', path.join(directory, 'bad.pub')], /holds no public key/],
    [['--dry-run', '--directory', '/a b'], /without blanks/],
    [['--quick'], /create-vms --dry-run/],
  ];
  for (const [words, message] of table) {
    const { code, stderr } = await createVms(words);
    assert.equal(code, 2, words.join(' '));
    assert.match(stderr, message);
  }
});
