import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FILE_MAX_BYTES, invalidFile, parseProjectFile } from './parse.ts';

const parse = (text: string) => parseProjectFile(Buffer.from(text));

test('what a file says is read, and an empty one says nothing', () => {
  const text = [
    '# how work on the shop is done',
    'verify:',
    '  - name: test',
    '    command: npm test',
    'agent: qwen-coder',
    'limits: { deadlineMinutes: 20 }',
    'labels: [autocode]',
    'draft: true',
    'egress: { hosts: [packages.example.com, "*.example.com:8443"] }',
    'instructions: |',
    '  Use tabs. [See {the guide}].',
  ].join('\n');
  assert.deepEqual(parse(text), {
    content: {
      verify: [{ name: 'test', command: 'npm test' }],
      agent: 'qwen-coder',
      limits: { deadlineMinutes: 20 },
      labels: ['autocode'],
      draft: true,
      egress: { hosts: ['packages.example.com', '*.example.com:8443'] },
      instructions: 'Use tabs. [See {the guide}].\n',
    },
    problems: [],
  });
  for (const empty of ['', '# nothing\n', '---\n'])
    assert.deepEqual(parse(empty), { content: {}, problems: [] });
});

test('what a repository may not decide is refused with its line and who decides it', () => {
  const decided = [
    ['isolation: directory', /project set PROJECT --isolation/],
    ['trusted: true', /--trusted/],
    ['forge: {name: x}', /--forge/],
    ['token: abc', /secret store/],
    ['secrets: {A: b}', /secret store/],
    ['checks: {rules: {secrets: off}}', /--check/],
    ['allow: {secrets: ["**"]}', /--check/],
    ['allowLists: [a]', /egress.hosts/],
    ['budget: 100', /installation/],
    ['agentCommand: [/bin/evil]', /--agent-command/],
    ['retries: 9', /limits.retries/],
    ['priority: 100', /--priority/],
    ['worker: mine', /nobody names one/],
    ['approvePlan: false', /--approve-plan/],
  ] as const;
  for (const [line, who] of decided) {
    const { content, problems } = parse(`agent: command\n${line}\n`);
    assert.equal(content, null, line);
    assert.deepEqual([problems.length, problems[0]?.line, problems[0]?.key], [1, 2, line.split(':')[0]]);
    assert.match(problems[0]!.message, /not for a repository to decide/);
    assert.match(problems[0]!.remedy!, who);
  }
});

test('a wrong value and an unknown setting are told with their line', () => {
  const { content, problems } = parse('limits:\n  deadlineMinutes: soon\n  deadline: 5\nverfiy: []\n');
  assert.equal(content, null);
  assert.deepEqual(
    problems.map(({ line, key }) => [line, key]),
    [
      [2, 'limits.deadlineMinutes'],
      [3, 'limits.deadline'],
      [4, 'verfiy'],
    ],
  );
  assert.match(problems[2]!.remedy!, /verify, agent/);
  const error = invalidFile(problems, 'at main');
  assert.equal(error.code, 'ERR_PROJECT_FILE');
  assert.match(error.message, /\.autocode\.yaml at main is not valid: line 2: `limits.deadlineMinutes`/);
  assert.match(error.remedy!, /project file check/);
});

test('hostile files are refused in a moment, each with the reason', () => {
  const bomb = [
    'a: &a [x, x]',
    ...'bcdefghi'.split('').map((n, i) => `${n}: &${n} [*${'abcdefgh'[i]}, *${'abcdefgh'[i]}]`),
  ];
  const cases: [string | Uint8Array, RegExp][] = [
    [bomb.join('\n'), /Anchors and aliases/],
    [`instructions: ${'x'.repeat(1 << 20)}`, /at most 65536/],
    ['agent: !!js/function "evil"', /tag/i],
    ['agent: !mine x', /tag/i],
    ['agent: a\nagent: b', /unique/],
    ['agent: a\n---\nagent: b', /document/],
    [Buffer.from([0x61, 0x3a, 0x20, 0xff, 0xfe]), /not UTF-8/],
    ['['.repeat(30_000), /nested deeper/],
    ['- '.repeat(30_000), /nested deeper/],
    ['- a\n- b', /must be a mapping/],
    ['just words', /must be a mapping/],
    ['agent: [unclosed', /./],
    ['? {a: b}\n: c', /plain word/],
    ['__proto__: {agent: x}', /no setting `__proto__`/],
    ['constructor: x', /no setting `constructor`/],
    ['instructions: "a\\0b"', /NUL/],
    ['<<: {agent: x}', /no setting `<<`/],
    ['egress: {hosts: ["http://x/y"]}', /name a host/],
    ['{'.repeat(40) + '}'.repeat(40), /./],
  ];
  for (const [text, reason] of cases) {
    const started = performance.now();
    const { content, problems } = parseProjectFile(Buffer.from(text as string));
    assert.equal(content, null, String(text).slice(0, 60));
    assert.match(problems.map(({ message }) => message).join(' '), reason, String(text).slice(0, 60));
    assert.ok(performance.now() - started < 1000, String(text).slice(0, 60));
    assert.ok(problems.length <= 20);
  }
});

test('no file that is small enough takes long', () => {
  for (const piece of [
    'a: ',
    '"',
    "'",
    '- a\n',
    '? ',
    'k: |\n ',
    '#',
    '%',
    '{',
    ' ',
    '\t',
    ': ',
    '&a ',
    '*a ',
    ',',
  ]) {
    const started = performance.now();
    parse(piece.repeat(Math.floor(FILE_MAX_BYTES / piece.length)));
    assert.ok(performance.now() - started < 3000, JSON.stringify(piece));
  }
});
