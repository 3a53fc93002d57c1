import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parsePolicy, requireRules } from './parse.ts';
import { readPresets } from './presets.ts';
import { printRule } from './rule.ts';

const presets = new Map([['npm', requireRules('allow method=GET,HEAD host=registry.npmjs.org', new Map())]]);
const canonical = (text: string) => requireRules(text, presets).map(printRule);

test('a rule has one canonical form', () => {
  const forms: [written: string, canonical: string][] = [
    ['allow host=a.example', 'allow host=a.example'],
    ['  allow\thost=A.Example.  ', 'allow host=a.example'],
    ['allow path=/** method=* host=a.example', 'allow host=a.example'],
    ['allow path=/a/** host=a.example method=PUT,GET,PUT', 'allow method=GET,PUT host=a.example path=/a/**'],
    ['deny host=**', 'deny host=**'],
    ['allow host=*.Bücher.example', 'allow host=*.xn--bcher-kva.example'],
    ['allow host=a.example:8443 # why', 'allow host=a.example:8443'],
    ['allow host=[2001:0DB8::0005]', 'allow host=2001:db8::5'],
    ['allow host=[2001:db8::5]:8443', 'allow host=[2001:db8::5]:8443'],
    ['allow host=2001:db8::5', 'allow host=2001:db8::5'],
    ['allow host=::ffff:10.0.0.5', 'allow host=10.0.0.5'],
    ['allow address=[::ffff:10.0.0.5] host=a.example', 'allow host=a.example address=10.0.0.5'],
    ['allow host=a.example path=/%7e/%2a/%2A/*', 'allow host=a.example path=/~/%2A/%2A/*'],
    ['allow host=a.example path=/caf%c3%a9/', 'allow host=a.example path=/caf%C3%A9/'],
    [
      'allow run-kind=change project=shop host=a.example path=/x',
      'allow host=a.example path=/x project=shop run-kind=change',
    ],
    ['preset npm', 'allow method=GET,HEAD host=registry.npmjs.org'],
  ];
  for (const [written, expected] of forms) {
    assert.deepEqual(canonical(written), [expected]);
    assert.deepEqual(canonical(expected), [expected], 'of itself, too');
  }
});

test('empty lines and comments say nothing; a # inside a word begins no comment', () => {
  assert.deepEqual(canonical('\n# allow host=a.example\n   \t\n  # x\n'), []);
  const { problems } = parsePolicy('allow host=a.example path=/x#y', presets);
  assert.equal(problems.length, 1);
  assert.deepEqual(canonical('allow host=a.example\r\nallow host=b.example\r\n').length, 2);
});

test('every mistake has its line, its column and a remedy', () => {
  const mistakes: [line: string, column: number, message: RegExp, remedy: RegExp][] = [
    ['alow host=a.example', 1, /"alow" begins no rule/, /allow, deny, pass or preset/],
    ['allow', 6, /names no host/, /host=NAME/],
    ['allow method=GET', 17, /names no host/, /host=NAME/],
    ['allow host=a.example port=1', 22, /no key "port"/, /method, host/],
    ['allow host=a.example x', 22, /"x" is no key=value/, /Keys are/],
    ['allow host=a.example host=b.example', 22, /host= stands twice/, /two rules/],
    ['allow host=', 7, /host= has no value/, /behind it/],
    ['allow host=a.example path=', 22, /path= has no value/, /leave it out/],
    ['allow method=get host=a.example', 14, /"get" is no method/, /: GET/],
    ['allow method=GET, host=a.example', 14, /"" is no method/, /GET,HEAD/],
    ['allow method=CONNECT host=a.example', 14, /CONNECT/, /Leave it out/],
    ['allow host=https://a.example', 12, /no scheme/, /Leave/],
    ['allow host=a@a.example', 12, /no user/, /@/],
    ['allow host=a.example/x', 12, /no path/, /path=/],
    ['allow host=a.example:0', 12, /port/, /1 to 65535/],
    ['allow host=a.example:99999', 12, /port/, /1 to 65535/],
    ['allow host=a.example:https', 12, /port/, /1 to 65535/],
    ['allow host=*', 12, /one label/, /\*\*/],
    ['allow host=a*.example', 12, /whole labels/, /\*\*\.NAME/],
    ['allow host=a.*.example', 12, /whole labels/, /\*\*\.NAME/],
    ['allow host=***.example', 12, /whole labels/, /\*\*\.NAME/],
    ['allow host=*.10.0.0.5', 12, /no host name/, /10\.0\.0\.5/],
    ['allow host=010.0.0.5', 12, /no host name/, /decimal/],
    ['allow host=10.0.0.0/8', 12, /no path/, /path=/],
    ['allow host=a..example', 12, /no host name/, /Write a name/],
    ['allow host=a.example path=x', 27, /begins with a slash/, /path=\/x/],
    ['allow host=a.example path=/a?b=c', 27, /no "\?"/, /Leave/],
    ['allow host=a.example path=/a;b', 27, /";"/, /Write "\*"/],
    ['allow host=a.example path=/a//b', 27, /Two slashes/, /Write one/],
    ['allow host=a.example path=/a*/b', 27, /"a\*"/, /%2A/],
    ['allow host=a.example path=/**/b', 27, /stands for the rest/, /in between/],
    ['allow host=a.example path=/a/../b', 27, /dot segment/, /without/],
    ['allow host=a.example path=/a/%2e%2e/b', 27, /dot segment/, /without/],
    ['allow host=a.example path=/a%2fb', 27, /encoded slash/, /as servers read/],
    ['allow host=a.example path=/a%zz', 27, /escape/, /%XX/],
    ['allow host=a.example path=/é', 27, /escape/, /ASCII/],
    ['allow host=a.example address=10.0.0.0/8', 30, /no address/, /a rule each/],
    ['allow host=10.0.0.5 address=10.0.0.5', 29, /an address already/, /address=/],
    ['allow host=a.example project=Shop', 30, /no name of a project/, /project list/],
    ['allow host=a.example run-kind=build', 31, /no kind of run/, /change, investigate/],
    ['allow host=a.example # \u001b[2J', 24, /control character/, /Leave/],
    ['allow\rhost=a.example', 6, /control character/, /Leave/],
    ['pass host=a.example path=/x', 26, /no path/, /use allow/],
    ['pass method=GET host=a.example', 13, /no method/, /Leave method=/],
    ['preset', 7, /No preset/, /npm/],
    ['preset nmp', 8, /no preset "nmp"/, /npm/],
    ['preset npm project=shop', 12, /stands alone/, /line of its own/],
    [`allow host=a.example path=/${'x'.repeat(1_000)}`, 1_001, /more than 1000/, /\*\*/],
  ];
  for (const [line, column, message, remedy] of mistakes) {
    const { problems, statements } = parsePolicy(`# a comment\n${line}`, presets);
    assert.deepEqual(statements, [], line);
    assert.equal(problems.length, 1, line);
    const [problem] = problems;
    assert.deepEqual([problem?.line, problem?.column], [2, column], `${line}: ${problem?.message}`);
    assert.match(problem!.message, message);
    assert.match(problem!.remedy, remedy);
  }
});

test('all mistakes are told at once, in their order; the error has them all', () => {
  const text = 'allow path=x host=*\nallow host=a.example\nnothing\nallow method=get host=a b=c';
  const { problems, statements } = parsePolicy(text, presets);
  assert.deepEqual(
    problems.map(({ line, column }) => `${line}:${column}`),
    ['1:12', '1:19', '3:1', '4:14', '4:25'],
  );
  assert.equal(statements.length, 1);
  assert.throws(() => requireRules(text, presets), {
    code: 'ERR_INVALID_INPUT',
    message: /^The policy is not valid, the one before stays: line 1, column 12: .* \(and 4 more\)$/,
    details: { problems },
  });
});

test('a text without end is refused before it is read, too many rules where they begin', () => {
  assert.equal(parsePolicy('#'.repeat(256 * 1024 + 1), presets).problems.length, 1);
  const many = Array.from({ length: 5_001 }, (_, at) => `deny host=h${at}.x`).join('\n');
  const { problems } = parsePolicy(many, presets);
  assert.deepEqual(
    problems.map(({ line }) => line),
    [5_001],
  );
  assert.equal(parsePolicy('x\n'.repeat(1_000), presets).problems.length, 100);
});

test('whatever is written is read or told; what was read is read the same again', () => {
  const words = [
    'allow',
    'deny',
    'preset',
    'npm',
    ' host=',
    ' path=/',
    ' method=',
    ' address=',
    ' project=',
    ' run-kind=',
  ];
  const values = [
    'a.example',
    '*.',
    '**',
    '*',
    '/',
    '%2a',
    '%',
    'GET',
    ',',
    ':',
    '443',
    '10.0.0.5',
    '[::1]',
    'é',
    'change',
  ];
  const piece = fc.constantFrom(' ', ' ', '#', '\n', ...words, ...values);
  const line = fc.oneof(
    fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 4 }), (lines) => {
      const text = lines.join('\n');
      const { statements, problems } = parsePolicy(text, presets);
      const last = text.split('\n').length;
      for (const problem of problems)
        assert.ok(problem.line >= 1 && problem.line <= last && problem.column >= 1);
      const said = statements.flatMap(({ rules }) => rules.map(printRule));
      assert.deepEqual(canonical(said.join('\n')), said);
    }),
    { numRuns: 20_000 },
  );
});

test('every preset that is shipped is read, only allows, and only reads', () => {
  const shipped = readPresets();
  assert.deepEqual([...shipped.keys()], ['crates', 'debian', 'github-read', 'go', 'maven', 'npm', 'pypi']);
  for (const [name, rules] of shipped) {
    assert.ok(rules.length > 0, name);
    for (const rule of rules) {
      assert.equal(rule.action, 'allow');
      assert.ok(!rule.host.includes('*') && rule.address === null && rule.project === null, printRule(rule));
      const cloning = rule.methods?.join() === 'POST' && rule.path === '/*/*/git-upload-pack';
      assert.ok(rule.methods?.join() === 'GET,HEAD' || cloning, printRule(rule));
    }
  }
});
