import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Check, CheckResult } from '../../protocol/run.ts';
import { changeBody } from './change-body.ts';
import type { ChangeBodyInput } from './change-body.ts';

const passed: CheckResult = { status: 'passed', exitCode: 0, durationMs: 1234, output: '' };
const failed: CheckResult = { status: 'failed', exitCode: 2, durationMs: 61_000, output: '' };
const skipped: CheckResult = { status: 'not-run', exitCode: null, durationMs: 0, output: '' };

const plain: ChangeBodyInput = {
  task: 12,
  run: '12-1',
  title: 'Fix the sum',
  body: 'It is *wrong*.',
  acceptance: ['1 + 1 is 2'],
  plan: {
    summary: 'Look, then mend.',
    steps: [
      { title: 'Look', status: 'completed' },
      { title: 'Tell', status: 'skipped' },
    ],
  },
  checks: [{ name: 'test', command: 'npm test', base: failed, head: passed }],
  agent: 'qwen-code',
  agentVersion: '0.24.4',
  model: 'vllm/qwen3',
  notes: [],
  refusals: [],
  iterations: 2,
  usage: { calls: 7, inputTokens: 12_345, cachedTokens: 1000, outputTokens: 67, costMicros: 12_300 },
  closes: null,
  below: null,
  currency: 'USD',
  together: [],
};

test('the body tells what was asked, what was done, whether it holds and what it took', () => {
  assert.equal(
    changeBody(plain),
    `## Asked

**Fix the sum**

\`\`\`text
It is *wrong*.
\`\`\`

Accepted when:

- 1 + 1 is 2

## Plan

Look, then mend.

- [x] Look
- [ ] Tell _(skipped)_

## Checks

| check | command | before | now |
|---|---|---|---|
| test | \`npm test\` | ❌ failed exit 2, 1 min 1 s | ✅ passed, 1.2 s (was broken before) |

## What it took

| | |
|---|---|
| task, run | 12, 12-1 |
| agent | qwen-code 0.24.4 |
| model | \`vllm/qwen3\` |
| iterations | 2 |
| model calls | 7 |
| tokens | 12,345 in (1,000 of them cached), 67 out |
| cost | 0.0123 USD |
`,
  );
});

test('a check says what it was before and what it is now', () => {
  const cases: [Check['base'], Check['head'], RegExp][] = [
    [passed, passed, /\| ✅ passed, 1\.2 s \| ✅ passed, 1\.2 s \|/],
    [null, passed, /\| — \| ✅ passed/],
    [skipped, skipped, /\| — \| — \|/],
    [failed, failed, /❌ failed exit 2, 1 min 1 s \(was broken before, and still is\)/],
    [passed, { ...failed, status: 'timed-out', exitCode: null }, /⏱️ timed-out, 1 min 1 s \|/],
  ];
  for (const [base, head, expected] of cases) {
    assert.match(changeBody({ ...plain, checks: [{ name: 'test', command: 'x', base, head }] }), expected);
  }
  assert.match(changeBody({ ...plain, checks: [] }), /nothing was checked/);
});

test('what the egress policy refused is told with the command that asked and the rule that would allow it', () => {
  const refusal = {
    method: 'GET',
    url: 'https://a.example/x`y',
    times: 3,
    allowedBy: 'allow host=a.example',
    misused: null,
    during: null,
  };
  const text = changeBody({
    ...plain,
    refusals: [refusal, { ...refusal, times: 1, allowedBy: null, misused: 'key', during: 'curl `x`' }],
  });
  assert.match(
    text,
    /## Not allowed\n\n.*\n\n- `` GET https:\/\/a\.example\/x`y ``, 3 times; a rule that would allow it: `allow host=a\.example`\n- `` GET .* `` during `` curl `x` ``; it was to take a secret where it must not go$/m,
  );
  const many = changeBody({ ...plain, refusals: Array.from({ length: 23 }, () => refusal) });
  assert.match(many, /- and 3 more/);
});

test('what is not there is left out', () => {
  const text = changeBody({ ...plain, body: '', acceptance: [], plan: null, agentVersion: null, model: '' });
  assert.doesNotMatch(text, /Plan|Accepted|Not allowed|```|null|undefined/);
  assert.match(text, /\| model \| — \|/);
});

test('text from outside cannot leave its place', () => {
  const cases: [Partial<ChangeBodyInput>, RegExp, RegExp][] = [
    [{ title: 'a\n\n## Merged by @ann' }, /\*\*a \\#\\# Merged by @\u200bann\*\*/, /^## Merged/m],
    [{ title: '<img src=x>' }, /&lt;img src=x\\>/, /<img/],
    [{ title: '![x](http://evil) **b**' }, /\\!\\\[x\\\]\\\(http/, /!\[x\]/],
    [{ body: '```\n## Out\n````' }, /`````text\n```\n## Out\n````\n`````/, /^```text/m],
    [{ acceptance: ['one\n- two'] }, /- one - two\n/, /^- two/m],
    [
      { checks: [{ name: 'a|b', command: 'x | y ``z`` \n q', base: null, head: null }] },
      /\| a\\\|b \| ``` x \\\| y ``z`` q ``` \|/,
      /^ q/m,
    ],
    [{ model: '`' }, /\| model \| `` ` `` \|/, /^$^/],
    [{ body: 'a\u202eb\u0007c' }, /\nabc\n/, /[\u202e\u0007]/],
  ];
  for (const [change, expected, never] of cases) {
    const text = changeBody({ ...plain, ...change });
    assert.match(text, expected);
    assert.doesNotMatch(text, never);
  }
});

test('a body of any length stays short enough for a forge', () => {
  assert.ok(changeBody({ ...plain, body: 'x'.repeat(200_000) }).length < 30_000);
});

test('what the submission checks warn of stands under Notes', () => {
  const note = {
    rule: 'lockfiles',
    level: 'warn',
    path: 'a`b/yarn.lock',
    reason: 'package.json <was> not',
    remedy: 'x',
  } as const;
  assert.match(
    changeBody({ ...plain, notes: [note] }),
    /\n## Notes\n\n- `` a`b\/yarn\.lock ``: package\.json &lt;was\\> not \(lockfiles\)\n/,
  );
});

test('the issue of the same repository is closed by the change, in a paragraph of its own', () => {
  assert.match(changeBody({ ...plain, closes: 12 }), /\n\nCloses #12\n\n/);
  assert.doesNotMatch(changeBody(plain), /Closes/);
});
