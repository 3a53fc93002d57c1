// The matcher of the orchestrator and that of the proxy decide alike, whatever comes: generated policies and requests, beside the
// written cases of match.test.ts.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import fc from 'fast-check';
import { compilePolicy, decide, type EgressRequest } from './match.ts';
import { parsePolicy } from './parse.ts';
import { printRule, type Rule } from './rule.ts';
import { suggestion } from './suggest.ts';

const CASES = 10_000;
const DECIDE = join(import.meta.dirname, '../../../proxy-addon/cases/decide.py');

const of = <T>(...values: T[]) => fc.constantFrom(...values);
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { freq: 3 });

const label = of(
  'a',
  'b',
  'a',
  'bad',
  'xn--a',
  'a_b',
  '1',
  '0x1',
  '-a',
  'A',
  '',
  'é',
  'a'.repeat(63),
  'a'.repeat(64),
);
const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => `${labels.join('.')}.x`);
const byte = fc.integer({ min: 0, max: 255 });
const ipv4 = fc.oneof(
  fc
    .tuple(of(0, 10, 100, 127, 168, 169, 172, 192, 198, 203, 224, 255), byte, byte, byte)
    .map((bytes) => bytes.join('.')),
  fc.ipV4(),
  of('10.0.0.5', '127.0.0.1', '169.254.169.254', '1.1.1.1', '168.63.129.16', '172.31.255.255', '172.32.0.0'),
);
const oddIpv4 = of(
  '010.0.0.5',
  '0x7f.1',
  '2130706433',
  '127.1',
  '10.0.0.5.',
  '10.0.0.256',
  '1.1.1.1..',
  '0x',
  '1.2.3.4.5',
);
const group = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16));
const beginning = of(
  '2000',
  '2001',
  '2001:db8',
  '2002',
  '3fff',
  '3fff:1000',
  '64:ff9b',
  'fe80',
  'fd00',
  '::',
  '::ffff',
  '4000',
);
const ipv6 = fc.oneof(
  fc.ipV6(),
  fc
    .tuple(beginning, group, group)
    .map(([first, a, b]) => `${first}${first.startsWith('::') ? ':' : '::'}${a}:${b}`),
  fc
    .tuple(of('::ffff:', '::', '64:ff9b::', '64:ff9b:0:0:0:0:', '0:0:0:0:0:ffff:'), ipv4)
    .map(([before, v4]) => before + v4),
  of(
    '::1',
    '::',
    '[::1]',
    'fe80::1%eth0',
    '1:2:3:4:5:6:7::',
    '::2:3:4:5:6:7:8',
    '1::3:4:5:6:7:8',
    '1:2:3:4:5:6:7:8',
    '::ffff:010.0.0.1',
  ),
);
const odd = fc.oneof(fc.string({ maxLength: 12 }), fc.string({ unit: 'grapheme', maxLength: 6 }));
const host = fc.oneof(
  { weight: 6, arbitrary: name },
  { weight: 2, arbitrary: of('a.x', 'b.a.x', 'A.X.', 'x', 'a.x:443', 'u@a.x', 'a.x\n') },
  { weight: 2, arbitrary: ipv4 },
  { weight: 1, arbitrary: oddIpv4 },
  { weight: 2, arbitrary: ipv6.map((address) => `[${address}]`) },
  { weight: 1, arbitrary: ipv6 },
  { weight: 1, arbitrary: odd },
);
const segment = of(
  'a',
  'b',
  'A',
  'ab',
  '%61',
  '%2f',
  '%2F',
  '..',
  '.',
  '%2e',
  '.%2E',
  ';',
  'a;v=1',
  '..;x',
  '',
  '*',
  '%2a',
  "'",
  '%27',
  '%5c',
  '\\',
  '%',
  '%zz',
  '%25',
  '%252e',
  '%2561',
  '%c0%ae',
  '%E0%80%ae',
  '%e0%a0%80',
  '%f0%80%80%ae',
  '%2525',
  '%00',
  '%0d',
  '%7f',
  '%c3%A9',
  'é',
  ' ',
  '#',
  '?',
  '~',
  '%7E',
  '@s',
  '%40s',
  '%3b',
  '%3F',
  '%20',
  'a'.repeat(300),
);
const path = fc.oneof(
  { weight: 8, arbitrary: fc.array(segment, { maxLength: 5 }).map((segments) => `/${segments.join('/')}`) },
  { weight: 1, arbitrary: odd },
);

const plainName = fc
  .array(of('a', 'b', 'bad', 'xn--a', 'a_b'), { maxLength: 3 })
  .map((labels) => [...labels, 'x'].join('.'));
const ruleHost = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(of('', '', '*.', '**.'), plainName).map(([wild, rest]) => wild + rest) },
  { weight: 1, arbitrary: fc.constant('**') },
  { weight: 2, arbitrary: of('10.0.0.5', '127.0.0.1', '1.1.1.1', '2001:db8::5', '::1') },
);
const pattern = fc
  .tuple(
    fc.array(of('a', 'b', 'A', '*', '*', '%2A', '@s', '%C3%A9', '%27'), { maxLength: 4 }),
    of('', '/', '/**'),
  )
  .map(([segments, end]) =>
    segments.length === 0 ? (end === '/**' ? end : '/') : `/${segments.join('/')}${end}`,
  );
const method = of('GET', 'HEAD', 'POST', 'CONNECT', 'DELETE', 'M-SEARCH', 'get', '');
const rule: fc.Arbitrary<Rule> = fc
  .record({
    action: of<Rule['action']>('allow', 'allow', 'deny', 'pass'),
    methods: orNull(of(['GET', 'HEAD'], ['POST'], ['DELETE', 'GET'])),
    host: ruleHost,
    port: orNull(of(80, 443, 8443)),
    address: orNull(of('10.0.0.5', '1.1.1.1', '::1')),
    path: pattern,
    project: orNull(of('shop', 'blog')),
    runKind: orNull(of('change', 'investigate')),
  })
  .map((made) => (/^[\d.]+$|:/.test(made.host) ? { ...made, address: null } : made))
  .map((made) => (made.action === 'pass' ? { ...made, methods: null, path: '/**' } : made));

const asked = fc
  .record({
    scheme: of<EgressRequest['scheme']>('https', 'https', 'http', 'tls'),
    method,
    host,
    port: of(443, 443, 80, 8443, 0, 65_536),
    path,
    address: orNull(fc.oneof(of('1.1.1.1', '10.0.0.5'), ipv4, ipv6, odd)),
    sni: fc.option(host),
    hostHeader: fc.option(host),
    project: orNull(of('shop', 'blog')),
    runKind: orNull(of('change', 'investigate')),
    honest: of(true, true, true, false),
  })
  .map(({ honest, ...request }): EgressRequest => {
    if (!honest) return request;
    const isAddress = /^[\d.]+$|:/.test(request.host);
    return {
      ...request,
      sni: request.scheme === 'http' || isAddress ? null : request.host,
      hostHeader: request.host,
      address: isAddress ? null : request.address,
    };
  });

/** A request that meets a rule but for what `keep` names, which stays as it was. */
function aimedAt(
  request: EgressRequest,
  { host: place, path: wanted, ...at }: Rule,
  keep: Set<string>,
): EgressRequest {
  const named = place.replace(/^\*\*$/, 'b.x').replace(/^\*\*?/, 'b');
  const isAddress = /^[\d.]+$|:/.test(named);
  const aimed = {
    scheme: at.action === 'pass' ? ('tls' as const) : ('https' as const),
    method: at.methods?.[0] ?? 'POST',
    host: named,
    port: at.port ?? 443,
    path: wanted.replaceAll('*', 'b').replace('bb', 'b'),
    address: isAddress ? null : (at.address ?? '1.1.1.1'),
    sni: isAddress ? null : named,
    hostHeader: isAddress && named.includes(':') ? `[${named}]` : named,
    project: at.project ?? request.project,
    runKind: at.runKind ?? request.runKind,
  };
  return { ...aimed, ...Object.fromEntries(Object.entries(request).filter(([key]) => keep.has(key))) };
}

test('both matchers decide alike', async () => {
  const arbitrary = fc
    .record({
      rules: fc.array(rule, { maxLength: 6 }),
      recording: of({}, { shop: 100 }),
      now: of(99, 99, 99, 100),
      request: asked,
      aimed: fc.boolean(),
      keep: fc.uniqueArray(of('method', 'path', 'address', 'port', 'project', 'sni', 'hostHeader'), {
        maxLength: 2,
      }),
    })
    .map(({ aimed, keep, ...made }) => {
      const [first] = made.rules;
      return aimed && first !== undefined
        ? { ...made, request: aimedAt(made.request, first, new Set(keep)) }
        : made;
    });
  const seed = Date.now();
  const cases = fc.sample(arbitrary, { numRuns: CASES, seed });
  const lines = cases.map((each) => JSON.stringify({ ...each, rules: each.rules.map(printRule) }));
  const python = spawn('python3', [DECIDE], { stdio: ['pipe', 'pipe', 'inherit'] });
  python.stdin.end(lines.join('\n'));
  const answers = (await text(python.stdout)).trim().split('\n');
  assert.equal(answers.length, cases.length);
  const seen = new Map<string, number>();
  for (const [index, { rules, recording, now, request }] of cases.entries()) {
    const decided = decide(compilePolicy(rules, recording), request, now);
    const own = { ...decided, suggestion: suggestion(request, decided) };
    assert.deepEqual(JSON.parse(answers[index]!), own, `seed ${seed}: ${lines[index]}`);
    const kind = `${decided.decision} ${decided.reason}`;
    seen.set(kind, (seen.get(kind) ?? 0) + 1);
  }
  const kinds = [
    'allow rule',
    'deny rule',
    'allow recording',
    'deny no-rule',
    'deny private-address',
    'deny names-differ',
    'deny malformed',
  ];
  for (const kind of kinds)
    assert.ok((seen.get(kind) ?? 0) > 20, `seed ${seed}: ${kind} came ${seen.get(kind) ?? 0} times`);
});

test('what is suggested allows the request, and is a rule in its canonical form', () => {
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 6 }), asked, (rules, request) => {
      const allowing = rules.filter(({ action }) => action === 'allow');
      const suggested = suggestion(request, decide(compilePolicy(allowing), request));
      if (suggested === null) return;
      const { statements, problems } = parsePolicy(suggested, new Map());
      assert.deepEqual(problems, []);
      const added = statements.flatMap((statement) => statement.rules);
      assert.deepEqual(added.map(printRule), [suggested]);
      assert.deepEqual(decide(compilePolicy([...allowing, ...added]), request), {
        decision: 'allow',
        reason: 'rule',
        rule: suggested,
      });
    }),
    { numRuns: 5_000 },
  );
});

test('no order of rules changes a decision, and a rule that denies never lets more out', () => {
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 6 }), rule, asked, (rules, another, request) => {
      const before = decide(compilePolicy(rules), request);
      const turned = decide(compilePolicy(rules.toReversed()), request);
      assert.equal(turned.decision, before.decision);
      if (before.decision === 'allow' || another.action !== 'deny') return;
      assert.equal(decide(compilePolicy([...rules, another]), request).decision, 'deny');
    }),
    { numRuns: 5_000 },
  );
});
