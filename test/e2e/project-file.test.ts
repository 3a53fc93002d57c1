// A repository that says itself how it is verified, and runs that are done again to be compared: from the command line.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { ProjectSettings } from '../../protocol/project-file.ts';
import type { Run } from '../../protocol/run.ts';
import type { Task } from '../../protocol/task.ts';
import { makeRepository, startAppliance, type Appliance } from './appliance.ts';

const FILE = [
  'verify: [{ name: answer, command: test "$(cat answer)" = 42 }]',
  'limits: { maxIterations: 2, deadlineMinutes: 10000 }',
].join('\n');
// It gets it right at its second try in one run.
const AGENT = 'if [ -f tried ]; then echo 42 > answer; rm tried; else touch tried; fi';

let appliance: Appliance;
before(async () => {
  appliance = await startAppliance();
});
after(async () => await appliance[Symbol.asyncDispose]());

async function project(name: string, file: string, agent: string): Promise<string> {
  const where = makeRepository(path.join(appliance.directory, name), {
    answer: '41\n',
    '.autocode.yaml': file,
  });
  const program = JSON.stringify(['sh', '-c', agent]);
  await appliance.autocode(
    'project',
    'add',
    where,
    '--isolation',
    'directory',
    '--trusted',
    '--agent',
    'command',
    '--agent-command',
    program,
  );
  return where;
}

function commit(where: string, name: string, content: string): void {
  writeFileSync(path.join(where, name), content);
  execFileSync('git', [
    '-C',
    where,
    '-c',
    'user.name=t',
    '-c',
    'user.email=t@example.org',
    'commit',
    '-qam',
    'more',
  ]);
}

test('the file of a repository verifies and limits its runs; done again, one is compared and not submitted', async () => {
  const where = await project('own', FILE, AGENT);
  const settings = JSON.parse(
    await appliance.autocode('project', 'show', 'own', '--json'),
  ) as ProjectSettings;
  const source = (name: string) => settings.settings.find((each) => each.name === name)?.source;
  assert.deepEqual([source('verify'), source('limits.maxIterations')], ['file', 'file']);
  assert.match(
    await appliance.autocode('project', 'show', 'own'),
    /limits.deadlineMinutes +60 .*wishes for 10000/,
  );
  const task = await appliance.ended(await appliance.task('own'));
  assert.equal(task.state, 'completed', task.reason ?? '');
  const [run] = await appliance.runs(task.id);
  assert.deepEqual(
    [run?.checks[0]?.name, run?.checks[0]?.head?.status, run?.iterations],
    ['answer', 'passed', 2],
  );

  commit(where, 'answer', '40\n');
  const said = await appliance.autocode('run', 'replay', run!.id, '--wait', '--json');
  const again = JSON.parse(said) as { task: Task; original: Run; replay: Run };
  assert.deepEqual([again.task.state, again.task.replayOf, again.task.changes], ['completed', run!.id, []]);
  assert.equal(again.replay.repositories[0]?.baseCommit, run!.repositories[0]?.baseCommit);
  assert.equal(await appliance.autocode('run', 'diff', run!.id, again.replay.id), '');
  assert.equal((await appliance.changes('own')).length, 1);
});

test('a file that decides what is not its to decide fails the run before the agent starts; a result must not change it', async () => {
  const where = await project(
    'greedy',
    `${FILE}\nisolation: directory\n`.replace('10000', '9'),
    'echo 42 > answer',
  );
  const refused = await appliance.ended(await appliance.task('greedy'));
  assert.equal(refused.state, 'failed');
  assert.match(
    refused.reason!,
    /line 3: `isolation` is not for a repository to decide.*project set PROJECT --isolation/,
  );
  const [run, ...more] = await appliance.runs(refused.id);
  assert.deepEqual([run?.cause, run?.iterations, more.length], ['input', 0, 0]);

  commit(where, '.autocode.yaml', FILE.replace('10000', '9'));
  const tampered = 'echo 42 > answer; echo "verify: []" > .autocode.yaml';
  await appliance.autocode(
    'project',
    'set',
    'greedy',
    '--agent-command',
    JSON.stringify(['sh', '-c', tampered]),
  );
  const changed = await appliance.task('greedy');
  const ended = await appliance.ended(changed);
  assert.equal(ended.state, 'failed');
  assert.match(ended.reason!, /\.autocode\.yaml: it was modified.*\[project-file\]/);
});
