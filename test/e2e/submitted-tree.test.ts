// What is submitted is what was verified: the same tree, even when something that the agent started outlives it and goes on
// writing to its work tree.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { eventually, processesOf, startAppliance } from './appliance.ts';

// Without environment, session, terminal or working directory of the run: isolation `directory` has nothing to find it by.
const survivor = (flag: string) =>
  `cd /; end=$(($(date +%s) + 30)); i=0; while test ! -e ${flag}.stop -a $(date +%s) -lt $end; do i=$((i+1)); for f in $0/answer $0/other; do echo evil$i > $f; done; done 2>/dev/null`;

test('the tree that is submitted is the tree that was verified, whatever a process that outlived the agent writes', async () => {
  await using appliance = await startAppliance();
  const flag = path.join(appliance.directory, 'survivor');
  const verify = [{ name: 'tree', command: `git rev-parse 'HEAD^{tree}'; git add --all; git write-tree` }];
  const agent = `echo 42 > answer; env -i setsid sh -c '${survivor(flag)}' "$PWD" < /dev/null > /dev/null 2>&1 & sleep 0.2; true`;
  const where = await appliance.project('outlived', { agent, verify });
  const task = await appliance.ended(await appliance.task('outlived'));
  execFileSync('touch', [`${flag}.stop`]);
  await eventually(() => Promise.resolve(processesOf(flag).length === 0 || undefined), 'the survivor to end');
  assert.equal(task.state, 'completed', task.reason ?? '');
  const [change] = await appliance.changes('outlived');
  const [run] = await appliance.runs(task.id);
  const submitted = execFileSync('git', ['-C', where, 'rev-parse', `${change?.branch}^{tree}`], {
    encoding: 'utf8',
  }).trim();
  // What the final verify saw: the commit's tree, and the files that lay there, which are the same.
  assert.deepEqual(run?.checks[0]?.head?.output.trim().split('\n'), [submitted, submitted]);
});
