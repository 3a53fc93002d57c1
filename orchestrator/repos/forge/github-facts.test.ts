import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { ForgeFact } from './facts.ts';
import { githubFacts } from './github-facts.ts';

interface Examples {
  name: string;
  examples: { action?: string }[];
}
const require = createRequire(import.meta.url);
const read = (place: string) => require(`@octokit/webhooks-examples/${place}/index.json`) as Examples[];

test("GitHub's own examples of all events are read without a fault, and tell what they should", () => {
  const all = read('api.github.com');
  const told = new Map<string, number>();
  for (const { name, examples } of all) {
    for (const example of examples) {
      const facts = githubFacts(name, example);
      for (const fact of facts) assert.deepEqual(ForgeFact.parse(fact), fact);
      told.set(name, (told.get(name) ?? 0) + facts.length);
    }
  }
  assert.ok(all.length > 40, `${all.length} events`);
  const some = Object.fromEntries([...told].filter(([, count]) => count > 0));
  assert.deepEqual(Object.keys(some).toSorted(), [
    'check_run',
    'issue_comment',
    'issues',
    'pull_request_review_comment',
  ]);
});

test('those of Enterprise Server too', () => {
  for (const place of ['ghes-31', 'ghes-35'])
    for (const { name, examples } of read(place)) for (const each of examples) githubFacts(name, each);
});

const repository = { full_name: 'acme/shop' };
const issue = {
  number: 7,
  html_url: 'u',
  title: 't',
  body: null,
  state: 'open',
  user: { login: 'ann' },
  labels: [{ name: 'autocode' }],
  author_association: 'NONE',
};

test('a label proves a right when somebody else than the author has set it, or the author belongs to the repository', () => {
  const right = (sender: string, association: string) => {
    const body = {
      action: 'labeled',
      repository,
      sender: { login: sender },
      issue: { ...issue, author_association: association },
    };
    const [fact] = githubFacts('issues', body);
    return fact?.what === 'issue' && fact.byRight;
  };
  assert.deepEqual(
    [right('bob', 'NONE'), right('ann', 'NONE'), right('ann', 'MEMBER'), right('Ann', 'CONTRIBUTOR')],
    [true, false, true, false],
  );
});

test('checks that failed are told, but for our own', () => {
  const run = (name: string, conclusion: string) =>
    githubFacts('check_run', {
      action: 'completed',
      repository,
      sender: { login: 'ci' },
      check_run: { name, conclusion, head_sha: 'a'.repeat(40), check_suite: { head_branch: 'autocode/1-x' } },
    }).length;
  assert.deepEqual(
    [run('test', 'failure'), run('test', 'success'), run('autocode/test', 'failure')],
    [1, 0, 0],
  );
});

test('a closed issue, a pull request in the guise of an issue, an edit and another event tell nothing', () => {
  const event = (change: object, action = 'labeled') =>
    githubFacts('issues', { action, repository, sender: { login: 'bob' }, issue: { ...issue, ...change } })
      .length;
  assert.deepEqual(
    [event({}), event({ state: 'closed' }), event({ pull_request: {} }), event({}, 'edited')],
    [1, 0, 0, 0],
  );
  assert.deepEqual(githubFacts('star', { action: 'created' }), []);
});
