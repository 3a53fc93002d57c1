// What workers may reach of this host, by the configuration alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfig, loadConfig } from '../../config/load.ts';
import { firewallPlan } from './plan.ts';
import { rulesetOf } from './ruleset.ts';

const FIREWALL = ['egress.proxy=true', 'egress.firewall.interfaces=[vmbr]'];
const planOf = (...set: string[]) =>
  firewallPlan(loadConfig({ set: ['dataDir=/nowhere', ...set], env: {}, file: undefined }).config);

for (const [what, set, ports] of [
  ['on loopback nothing of it is open', [], []],
  ['over TLS', ['tls.names=[a]'], ['tcp 7443', 'tcp 7444']],
  [
    'in the open',
    ['api.host=0.0.0.0', 'api.port=1', 'gateway.host=10.0.0.1', 'gateway.port=2'],
    ['tcp 1', 'tcp 2'],
  ],
  ['the explicit proxy', ['egress.host=10.77.0.1', 'egress.port=3128'], ['tcp 3128']],
  [
    'more',
    ['egress.firewall.tcpPorts=[4647,4646]', 'egress.firewall.udpPorts=[123]'],
    ['tcp 4647', 'tcp 4646', 'udp 123'],
  ],
] as const) {
  test(`ports that are open to workers: ${what}`, () => {
    const { open } = planOf(...FIREWALL, ...set);
    assert.deepEqual(
      open.map(({ protocol, port }) => `${protocol} ${port}`),
      ports,
    );
  });
}

test('without the settings, or with a port that nobody knows beforehand, there is no plan', () => {
  assert.throws(() => planOf(), { code: 'ERR_CONFIG', message: /`egress\.firewall` is not configured/ });
  assert.throws(() => planOf(...FIREWALL, 'egress.host=0.0.0.0'), { message: /egress\.port, which is auto/ });
});

test('settings that would leave a gap are mistakes', () => {
  const mistakes = (...set: string[]) =>
    checkConfig({ set: ['dataDir=/nowhere', ...set], env: {} }).mistakes.length;
  assert.equal(mistakes(...FIREWALL), 0);
  for (const wrong of [
    'egress.proxy=false',
    'egress.firewall.interfaces=[]',
    'egress.firewall.interfaces=[a,a]',
    'egress.firewall.interfaces=["a;b"]',
    'egress.firewall.udpPorts=[53]',
    'egress.firewall.resolverPort=4012',
    'egress.port=4012',
  ])
    assert.notEqual(mistakes(...FIREWALL, wrong), 0, wrong);
});

test('a name of an interface is quoted, and a set without elements has none', () => {
  const ruleset = rulesetOf(planOf(...FIREWALL));
  assert.match(ruleset, /set workers \{ type ifname; elements = \{ "vmbr" \}; \}/);
  assert.match(ruleset, /set open_tcp \{ type inet_service; \}/);
});
