// The pipeline with real git, real sandbox processes and an agent of the test's own, without the worker around it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { AutocodeError } from '../../protocol/errors.ts';
import { pipelinePlace, type Act, type Turn } from '../testing/pipeline-run.ts';

const answer = (text: string) => (_turn: Turn, tree: string) =>
  writeFileSync(path.join(tree, 'answer.txt'), text);

test('failing checks go back to the agent until they pass', async () => {
  const act: Act = ({ phase }, tree) =>
    answer(phase === 'execute' ? '43\n' : '42\n')({ phase, prompt: '' }, tree);
  await using place = await pipelinePlace();
  const { report, turns, show } = await place.try({
    act,
    order: { verify: [{ name: 'answer', command: 'cat answer.txt; grep -q 42 answer.txt' }] },
  });
  assert.equal(report.outcome, 'verified');
  assert.equal(report.iterations, 2);
  assert.deepEqual(
    turns.map(({ phase }) => phase),
    ['execute', 'adjust'],
  );
  assert.match(turns[1]!.prompt, /exit code 1[\s\S]*<output>\n43\n<\/output>/);
  assert.equal(show('answer.txt'), '42\n');
});

test('a plan is asked for in a turn of its own, and its steps are completed when the checks pass', async () => {
  const act: Act = (turn, tree) => {
    if (turn.phase === 'plan')
      return { text: 'Here it is:\n```json\n{"summary": "Set it", "steps": ["find", "set"]}\n```' };
    return answer('42\n')(turn, tree);
  };
  await using place = await pipelinePlace();
  const { report, turns, run } = await place.try({ act, plans: true });
  assert.equal(report.outcome, 'verified');
  assert.match(turns[0]!.prompt, /^Task: Make it work$/m);
  assert.deepEqual(report.plan, {
    summary: 'Set it',
    steps: [
      { title: 'find', status: 'completed' },
      { title: 'set', status: 'completed' },
    ],
  });
  const seen = run.progress.flatMap(({ plan }) =>
    plan ? [plan.steps.map(({ status }) => status).join(' ')] : [],
  );
  assert.deepEqual(seen, ['pending pending', 'in-progress pending', 'completed completed']);
});

test('a plan that cannot be read becomes one step, with a notice', async () => {
  await using place = await pipelinePlace();
  const { report, events } = await place.try({ act: answer('42\n'), plans: true });
  assert.equal(report.outcome, 'verified');
  assert.deepEqual(report.plan?.steps, [{ title: 'Make it work', status: 'completed' }]);
  assert.ok(events.some((event) => event.type === 'notice' && event.text.includes('no plan')));
});

test('nothing changed and all checks pass: no change', async () => {
  await using place = await pipelinePlace();
  const { report } = await place.try({
    act: () => {},
    order: { verify: [{ name: 'fine', command: 'true' }] },
  });
  assert.equal(report.outcome, 'no-change');
  assert.deepEqual(report.headCommits, []);
});

test('nothing changed and a check fails: failed, and it says both', async () => {
  await using place = await pipelinePlace();
  const { report } = await place.try({ act: () => {} });
  assert.deepEqual([report.outcome, report.cause], ['failed', 'agent']);
  assert.match(report.reason ?? '', /changed nothing.*answer \(failed; failed before the change too\)/);
});

test('a change that passes only with files that git ignores is not verified', async () => {
  const files = { '.gitignore': 'cache.txt\n' };
  const act: Act = (_turn, tree) => {
    for (const name of ['cache.txt', 'other.txt']) writeFileSync(path.join(tree, name), '42\n');
  };
  await using place = await pipelinePlace(files);
  const { report } = await place.try({
    act,
    order: { verify: [{ name: 'cache', command: 'test -e cache.txt' }] },
  });
  assert.deepEqual([report.outcome, report.cause], ['failed', 'agent']);
  assert.match(report.reason ?? '', /fresh clone/);
});

test('without verify commands the change counts, with a loud notice', async () => {
  await using place = await pipelinePlace();
  const { report, events } = await place.try({ act: answer('43\n'), order: { verify: [] } });
  assert.equal(report.outcome, 'verified');
  assert.ok(
    events.some((event) => event.type === 'notice' && event.text.includes('NOTHING WILL BE CHECKED')),
  );
});

test('nothing that the agent plants in its repository is run or pushed', async () => {
  const act: Act = (turn, tree) => {
    const witness = path.join(tree, '..', '..', '..', '..', '..', 'witness');
    const evil = path.join(tree, '.git', 'evil.sh');
    writeFileSync(evil, `#!/bin/sh\ntouch ${witness}\ncat\n`, { mode: 0o755 });
    const set = (key: string, value: string) => execFileSync('git', ['-C', tree, 'config', key, value]);
    set('core.fsmonitor', evil);
    set('filter.evil.clean', evil);
    set('core.hooksPath', path.dirname(evil));
    writeFileSync(path.join(tree, '.gitattributes'), '* filter=evil\n');
    for (const hook of ['pre-commit', 'pre-push', 'post-index-change'])
      writeFileSync(path.join(tree, '.git', hook), `#!/bin/sh\ntouch ${witness}\n`, { mode: 0o755 });
    execFileSync('git', ['init', '--quiet', path.join(tree, 'nested')]);
    writeFileSync(path.join(tree, 'nested', 'kept.txt'), 'kept\n');
    writeFileSync(path.join(tree, 'nested', '.git', 'config'), `[core]\n\tfsmonitor = ${evil}\n`);
    answer('42\n')(turn, tree);
  };
  await using place = await pipelinePlace();
  const { report, events, show } = await place.try({ act });
  assert.equal(report.outcome, 'verified');
  const witness = path.join(path.dirname(path.dirname(place.fake.repository)), 'witness');
  assert.ok(!existsSync(witness));
  assert.equal(show('nested/kept.txt'), 'kept\n');
  assert.ok(events.some((event) => event.type === 'notice' && event.text.includes('nested/.git')));
  assert.deepEqual(
    events.flatMap((event) => (event.type === 'file_change' ? [`${event.change} ${event.path}`] : [])),
    ['added .gitattributes', 'modified answer.txt', 'added nested/kept.txt'],
  );
});

test('the agent may commit, delete its history, or even its whole .git: the tree is what counts', async () => {
  const act: Act = (turn, tree) => {
    answer('42\n')(turn, tree);
    rmSync(path.join(tree, '.git'), { recursive: true });
  };
  await using place = await pipelinePlace();
  const { report, run } = await place.try({ act });
  assert.equal(report.outcome, 'verified');
  const parent = execFileSync('git', ['-C', place.fake.repository, 'rev-parse', `${place.fake.pushed(run)}^`])
    .toString()
    .trim();
  assert.equal(parent, run.baseCommit);
});

test('links, executables, empty files and names that are not UTF-8 come out as they are', async () => {
  const act: Act = (turn, tree) => {
    answer('42\n')(turn, tree);
    execFileSync(
      'sh',
      [
        '-c',
        `ln -s /etc/passwd link; printf x > run.sh; chmod +x run.sh; : > empty; : > "$(printf 'caf\\351')"`,
      ],
      { cwd: tree },
    );
  };
  await using place = await pipelinePlace();
  const { report, run } = await place.try({ act });
  assert.equal(report.outcome, 'verified');
  const listing = execFileSync('git', [
    '-C',
    place.fake.repository,
    '-c',
    'core.quotePath=true',
    'ls-tree',
    place.fake.pushed(run),
  ]).toString();
  assert.match(listing, /^120000 .*\tlink$/m);
  assert.match(listing, /^100755 .*\trun\.sh$/m);
  assert.match(listing, /\t"caf\\351"$/m);
});

test('a failure of the agent ends the run with its words, and what it did is pushed', async () => {
  const act: Act = (turn, tree) => {
    answer('40\n')(turn, tree);
    return { stop: 'failed', error: 'the model said no' };
  };
  await using place = await pipelinePlace();
  const { report, show } = await place.try({ act });
  assert.deepEqual([report.outcome, report.cause], ['failed', 'agent']);
  assert.match(report.reason ?? '', /the model said no/);
  assert.equal(show('answer.txt'), '40\n');
});

test('an exception of the agent is a failure with a cause that fits', async () => {
  const act: Act = () => {
    throw new AutocodeError('ERR_AGENT_FAILED', 'It crashed.');
  };
  await using place = await pipelinePlace();
  const { report } = await place.try({ act });
  assert.deepEqual([report.outcome, report.cause, report.reason], ['failed', 'agent', 'It crashed.']);
});

test('a next attempt starts from the commit of the one before, and hears why that failed', async () => {
  await using place = await pipelinePlace();
  const first = await place.try({ act: answer('43\n') });
  assert.equal(first.report.outcome, 'failed');
  const seen: string[] = [];
  const act: Act = (turn, tree) => {
    seen.push(readFileSync(path.join(tree, 'answer.txt'), 'utf8'), turn.prompt);
    answer('42\n')(turn, tree);
  };
  const order = { previous: { run: first.run.order.run, reason: 'it was 43' } };
  const second = await place.try({ act, order, startCommit: first.report.headCommits[0]!.commit });
  assert.equal(second.report.outcome, 'verified');
  assert.equal(seen[0], '43\n');
  assert.match(seen[1]!, /it was 43/);
  assert.equal(
    second.run.baseCommit,
    execFileSync('git', [
      '-C',
      place.fake.repository,
      'rev-parse',
      `${second.report.headCommits[0]?.commit}^`,
    ])
      .toString()
      .trim(),
  );
});

test('a run in several repositories has each in a folder, verifies across them and pushes what each has changed', async () => {
  await using place = await pipelinePlace();
  const web = place.fake.addRepository(4, { 'README.md': 'web\n', 'page.txt': 'old\n' });
  place.fake.addRepository(5, { 'kept.txt': 'x\n' });
  const repository = (id: number, name: string) => ({
    id,
    name,
    path: name,
    baseBranch: 'main',
    gitPath: `/git/${id}.git`,
  });
  const { report, events, turns, run } = await place.try({
    order: {
      repositories: [repository(3, 'api'), repository(4, 'web'), repository(5, 'docs')],
      verify: [
        {
          name: 'both',
          command: 'grep -q 42 api/answer.txt && grep -q new web/page.txt && test -f docs/kept.txt',
        },
        {
          name: 'web',
          command: 'test "$(git branch --show-current)" = autocode/1-1 && ls page.txt',
          in: 'web',
        },
      ],
    },
    act: (_turn, tree) => {
      writeFileSync(path.join(tree, 'api/answer.txt'), '42\n');
      writeFileSync(path.join(tree, 'web/page.txt'), 'new\n');
      writeFileSync(path.join(tree, 'stray.txt'), 'x\n');
    },
  });
  assert.equal(report.outcome, 'verified', report.reason);
  assert.deepEqual(
    report.headCommits.map((head) => head.repository),
    [3, 4],
  );
  assert.deepEqual(
    report.checks.map(({ base, head }) => [base?.status, head?.status]),
    [
      ['failed', 'passed'],
      ['passed', 'passed'],
    ],
  );
  assert.match(turns[0]!.prompt, /It holds 3 repositories[^]*- api\/ \(branch main\)\n- web\/ /);
  assert.match(turns[0]!.prompt, /web\/README\.md/);
  const pushed = execFileSync('git', ['-C', web, 'show', `refs/runs/${run.order.run}:page.txt`]).toString();
  assert.equal(pushed, 'new\n');
  const told = events.flatMap((event) => (event.type === 'file_change' ? [event.path] : []));
  assert.deepEqual(told, ['api/answer.txt', 'web/page.txt']);
  assert.ok(
    events.some((event) => event.type === 'notice' && event.text.startsWith('stray.txt is left out')),
  );
});
