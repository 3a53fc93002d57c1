// The firewall as root meets it on a host of its own, which is a network namespace: nftables is the real one.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { after, before, test } from 'node:test';

const MAIN = path.resolve(import.meta.dirname, '../../cli/main.ts');
const host = `autocode-${randomBytes(4).toString('hex')}`;
const SETTINGS = ['dataDir=/nowhere', 'egress.proxy=true', 'egress.firewall.interfaces=[vmbr]'];

function on(words: string[], more: { before?: string[]; set?: string[] } = {}) {
  const set = [...SETTINGS, ...(more.set ?? [])].flatMap((each) => ['--set', each]);
  const call = [...(more.before ?? []), process.execPath, MAIN, 'egress', 'firewall', ...words, ...set];
  const { status, stdout, stderr } = spawnSync('ip', ['netns', 'exec', host, ...call], { encoding: 'utf8' });
  return { status, stdout, stderr };
}
const shell = (script: string) =>
  execFileSync('ip', ['netns', 'exec', host, 'bash', '-ec', script], { encoding: 'utf8' });
const forwarding = () => shell('cat /proc/sys/net/ipv[46]/conf/vmbr/forwarding').trim().split('\n');

before(() => {
  execFileSync('ip', ['netns', 'add', host]);
  shell(`ip link add vmbr type bridge; ip link add tap0 type veth peer name tap1; ip link set tap0 master vmbr
    ip link add uplink type veth peer name far; ip addr add 192.0.2.2/24 dev uplink; ip link set uplink up; ip link set far up
    ip route add default via 192.0.2.1; sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1`);
});
after(() => execFileSync('ip', ['netns', 'delete', host]));

test('rules are printed without root, and nothing is touched', () => {
  const nobody = ['setpriv', '--reuid', '65534', '--clear-groups'];
  const { stdout, stderr, status } = on(['apply', '--dry-run'], { before: nobody });
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(
    stdout,
    /^table inet autocode-egress\ndelete table inet autocode-egress\ntable inet autocode-egress \{\n/,
  );
  const elsewhere = { before: nobody, set: ['egress.firewall.interfaces=[vmbr0]'] };
  const early = on(['apply', '--dry-run'], elsewhere);
  assert.match(early.stdout, /vmbr0/);
  assert.match(early.stderr, /would be refused: .*vmbr0, which is not there\. There are: .*vmbr/);
  assert.equal(on(['apply', '--dry-run', '--boot'], elsewhere).stderr, '');
  const refused = on(['apply'], { before: nobody });
  assert.equal(refused.status, 4);
  assert.match(refused.stderr, /for root alone[^]*sudo autocode egress firewall apply/);
  assert.equal(shell('nft list ruleset'), '');
});

for (const [what, words, more, message] of [
  [
    'an interface that is not there',
    [],
    { set: ['egress.firewall.interfaces=[vmbr0]'] },
    /vmbr0, which is not there[^]*There are: .*vmbr/,
  ],
  ['a port of a bridge', [], { set: ['egress.firewall.interfaces=[tap0]'] }, /tap0 is a port of a bridge/],
  [
    'the way out of the host itself',
    [],
    { set: ['egress.firewall.interfaces=[uplink]'] },
    /By uplink this host itself goes out/,
  ],
  [
    'no nft',
    [],
    { before: ['unshare', '--mount', 'bash', '-c', 'mount -t tmpfs none /usr/sbin; exec "$@"', 'bash'] },
    /apt install nftables/,
  ],
  [
    'too few rights for the kernel',
    [],
    { before: ['setpriv', '--bounding-set', '-net_admin,-sys_admin', '--inh-caps', '-net_admin,-sys_admin'] },
    /ERR_FIREWALL/,
  ],
] as const) {
  test(`told before anything is touched: ${what}`, () => {
    const { status, stderr } = on(['apply', ...words], more as never);
    assert.match(stderr, message);
    assert.ok(status === 2 || status === 6);
    assert.equal(shell('nft list ruleset'), '');
  });
}

test('an interface may come later at boot, and what the unit allows is enough', () => {
  const set = ['egress.firewall.interfaces=[vmbr,later]'];
  const before = [
    'setpriv',
    '--no-new-privs',
    '--inh-caps',
    '-all',
    '--bounding-set',
    '-all,+net_admin,+sys_admin',
  ];
  assert.equal(on(['apply', '--boot'], { set, before }).status, 0);
  assert.equal(on(['check'], { set }).status, 0);
  assert.match(shell('nft list set inet autocode-egress workers'), /"later"/);
});

test('applied again it is the same, what others have is not touched, and forwarding is off', () => {
  shell('nft add table inet mine; nft add chain inet mine kept');
  shell('sysctl -qw net.ipv4.conf.vmbr.forwarding=1');
  assert.equal(on(['apply']).status, 0);
  assert.deepEqual(forwarding(), ['0', '0']);
  assert.match(shell('nft list tables'), /table inet mine/);
  assert.equal(on(['check']).stdout, 'The rules are in force, as they should be.\n');
});

test('check names what differs, and apply mends it', () => {
  shell(`nft insert rule inet autocode-egress forward accept
    nft delete element inet autocode-egress metadata { 192.0.0.192 }
    sysctl -qw net.ipv4.conf.vmbr.forwarding=1`);
  const { status, stdout } = on(['check', '--json']);
  assert.equal(status, 1);
  assert.deepEqual(JSON.parse(stdout), {
    inForce: true,
    differences: [
      'the set metadata is not as it should be',
      'the rule "(without a comment)" of forward is not from here',
      'forwarding is on for vmbr: without the rules workers would get out',
    ],
  });
  assert.equal(on(['apply']).status, 0);
  assert.equal(on(['check']).status, 0);
});

test('show says in words what workers may reach', () => {
  const { stdout } = on(['show'], { set: ['tls.names=[a]'] });
  assert.match(stdout, /workers +whoever comes in by vmbr\n/);
  assert.match(
    stdout,
    /this host +tcp 7443 \(API and git, over TLS\), tcp 7444 \(model gateway, over TLS\)\n/,
  );
  assert.match(stdout, /in force +not as configured/);
});

test('the rules go once nothing is forwarded, and not otherwise', () => {
  shell('sysctl -qw net.ipv4.conf.vmbr.forwarding=1');
  const readOnly = 'mount --bind -o ro /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys; exec "$@"';
  const kept = on(['remove'], { before: ['unshare', '--mount', 'bash', '-c', readOnly, 'bash'] });
  assert.equal(kept.status, 6);
  assert.match(kept.stderr, /Forwarding cannot be turned off for vmbr/);
  assert.match(shell('nft list tables'), /autocode-egress/);
  const { status, stdout } = on(['remove']);
  assert.equal(status, 0);
  assert.match(stdout, /workers have no way out/);
  assert.deepEqual(forwarding(), ['0', '0']);
  assert.equal(shell('nft list tables'), 'table inet mine\n');
  assert.equal(on(['remove']).stdout, 'No rules are in force.\n');
});
