// Tasks that work in several repositories, from the command line to the changes: with a sandbox and without, refused, cut off.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Project } from '../../protocol/project.ts';
import type { Task } from '../../protocol/task.ts';
import { gvisorPath } from '../support/gvisor.ts';
import { eventually, makeRepository, startAppliance, type Appliance } from './appliance.ts';

/** It uses the history of each too, which is its own repository's. */
const WORK =
  'test ! -e .git && git -C api show HEAD:answer && echo 42 > api/answer && git -C web diff --exit-code && echo 42 > web/answer';
const AGENT = JSON.stringify(['sh', '-c', WORK]);
const ACROSS = 'both=test "$(cat api/answer)" = 42 && cmp api/answer web/answer';

let appliance: Appliance;
before(async () => {
  process.env.PATH = gvisorPath; // the worker looks for runsc there
  appliance = await startAppliance();
});
after(async () => await appliance[Symbol.asyncDispose]());

/** A project with the repositories `api` and `web`, each its own bare one. */
async function project(name: string, hook?: string, ...more: string[]) {
  const bare = (part: string) => {
    const source = makeRepository(path.join(appliance.directory, `${name}-${part}`), { answer: '41\n' });
    execFileSync('git', ['clone', '--quiet', '--bare', source, `${source}.git`]);
    return `${source}.git`;
  };
  const [api, web] = [bare('api'), bare('web')];
  if (hook !== undefined) {
    writeFileSync(path.join(web, 'hooks/pre-receive'), `#!/bin/sh\n${hook}\n`);
    chmodSync(path.join(web, 'hooks/pre-receive'), 0o755);
  }
  const isolation = more.length === 0 ? ['--isolation', 'directory', '--trusted'] : more;
  const words = ['--name', name, '--repo', `api=${api}`, '--repo', `web=${web}`, '--verify', ACROSS];
  const agent = ['--agent', 'command', '--agent-command', AGENT];
  const added = await appliance.autocode('project', 'add', ...words, ...agent, ...isolation, '--json');
  return { api, web, added: JSON.parse(added) as Project };
}

const answerIn = (repository: string, branch: string) =>
  execFileSync('git', ['-C', repository, 'show', `${branch}:answer`], { encoding: 'utf8' });
const branchesOf = (repository: string) =>
  execFileSync('git', ['-C', repository, 'branch', '--format=%(refname:short)'], { encoding: 'utf8' })
    .trim()
    .split('\n');

const kinds: Record<string, string[]> = {
  'without a sandbox': [],
  'in a sandbox': ['--isolation', 'bubblewrap'],
  'in a container': ['--isolation', 'container'],
  'in gVisor': ['--isolation', 'gvisor'],
};
for (const [how, isolation] of Object.entries(kinds)) {
  const skip = isolation.length > 0 && !existsSync('/usr/bin/bwrap') ? 'needs bubblewrap' : false;
  test(
    `one task changes two repositories ${how}: one change in each, linked to the other`,
    { skip },
    async () => {
      const name = `two-${isolation.at(-1) ?? 'trusted'}`;
      const { api, web } = await project(name, undefined, ...isolation);
      const task = await appliance.ended(await appliance.task(name));
      assert.equal(task.state, 'completed', task.reason ?? '');
      const changes = (await appliance.changes(name)).toReversed();
      assert.deepEqual(
        changes.map(({ repository, state }) => [repository, state]),
        [
          ['api', 'open'],
          ['web', 'open'],
        ],
      );
      assert.deepEqual(
        task.changes,
        changes.map(({ id }) => id),
      );
      for (const [index, origin] of [api, web].entries())
        assert.equal(answerIn(origin, changes[index]!.branch), '42\n');
      assert.match(changes[0]!.body, new RegExp(`- web: change ${changes[1]!.id}`));
      const diff = await appliance.autocode('task', 'diff', String(task.id));
      assert.match(diff, /^\+\+\+ b\/api\/answer$[^]*^\+\+\+ b\/web\/answer$/m);
      assert.match(
        await appliance.autocode('run', 'show', `${task.id}-1`),
        /api: \w+ → \w+\s+web: \w+ → \w+/,
      );
      assert.match(await appliance.autocode('change', 'list', '--project', name), /web/);
    },
  );
}

test('a task may work in some of the repositories, which is then all that it sees', async () => {
  await project('some');
  const added = await appliance.autocode(
    'task',
    'add',
    'one',
    '--project',
    'some',
    '--repo',
    'web',
    '--json',
  );
  const { id, repositories } = JSON.parse(added) as Task;
  assert.deepEqual(
    repositories.map(({ name }) => name),
    ['web'],
  );
  const task = await appliance.ended(id);
  assert.equal(task.state, 'failed', 'its agent asks for a folder that is not there');
});

test('when one of the repositories refuses, no change is opened and the branches are kept', async () => {
  const { api, web } = await project('refusing', 'echo "ticket missing" >&2; exit 1');
  const task = await appliance.ended(await appliance.task('refusing'));
  assert.equal(task.state, 'failed');
  assert.match(task.reason ?? '', /web\.git refused the branch[^]*ticket missing/);
  assert.deepEqual(await appliance.changes('refusing'), []);
  assert.deepEqual([branchesOf(api).length, branchesOf(web).length], [2, 1], 'what was pushed before stays');
});

test('a daemon that is killed between the two pushes opens both changes once when it is back', async () => {
  const flag = path.join(appliance.directory, 'pushing');
  const { api, web } = await project('cut', `touch ${flag}; while [ ! -e ${flag}.go ]; do sleep 0.05; done`);
  const id = await appliance.task('cut');
  await eventually(async () => (await Promise.resolve(existsSync(flag))) || undefined, 'the second push');
  process.kill(appliance.daemonPid(), 'SIGKILL');
  writeFileSync(`${flag}.go`, '');
  await appliance.up();
  const task = await appliance.ended(id);
  assert.equal(task.state, 'completed', task.reason ?? '');
  assert.deepEqual([branchesOf(api).length, branchesOf(web).length], [2, 2]);
  assert.equal((await appliance.changes('cut')).length, 2);
});

test('repositories are added and removed by the command line, and a project says which it has', async () => {
  const { added } = await project('growing');
  assert.deepEqual(
    added.repositories.map(({ name }) => name),
    ['api', 'web'],
  );
  await appliance.autocode('project', 'repo', 'add', 'growing', '--name', 'docs');
  assert.match(
    await appliance.autocode('project', 'repo', 'list', 'growing'),
    /^docs +.*\(local forge\) +main/m,
  );
  await appliance.autocode('project', 'repo', 'remove', 'growing', 'web');
  const left = JSON.parse(
    await appliance.autocode('project', 'repo', 'list', 'growing', '--json'),
  ) as object[];
  assert.equal(left.length, 2);
  await assert.rejects(
    appliance.autocode('project', 'repo', 'remove', 'growing', 'web'),
    (error: { stderr?: string }) => /has no repository web[^]*api, docs/.test(error.stderr ?? ''),
  );
});
