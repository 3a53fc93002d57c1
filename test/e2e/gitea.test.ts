// A task's way to a pull request on a real Gitea, as its user goes it, with kill -9 of the daemon on it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { startGitea } from '../support/gitea.ts';
import { eventually, OWN_POSTGRES, processesOf, startAppliance } from './appliance.ts';

const gitea = await startGitea();
const appliance = await startAppliance(OWN_POSTGRES); // in whose files is looked, too
after(async () => {
  await appliance[Symbol.asyncDispose]();
  await gitea[Symbol.asyncDispose]();
});

const tokenFile = path.join(appliance.directory, 'token');
writeFileSync(tokenFile, `${gitea.botToken}\n`);

interface Pull {
  number: number;
  body: string;
  labels: { name: string }[];
}
const pulls = async (name: string): Promise<Pull[]> =>
  await gitea.call('GET', `/repos/acme/${name}/pulls?state=all`);

async function addProject(name: string): Promise<void> {
  const url = await gitea.repository(name, { check: 'test "$(cat answer)" = 42\n' });
  const settings = ['--trusted', '--agent', 'command', '--agent-command', '["sh","-c","echo 42 > answer"]'];
  await appliance.autocode(
    'project',
    'add',
    url,
    ...settings,
    '--verify',
    'test=sh ./check',
    '--forge-token-file',
    tokenFile,
    '--label',
    'autocode',
  );
  await appliance.api('PATCH', `/projects/${name}`, { isolation: 'directory' });
}

test('a task becomes a pull request, which is seen to be merged', async () => {
  await addProject('shop');
  assert.match(await appliance.autocode('project', 'show', 'shop'), /forge +127\.0\.0\.1-\d+/);
  const task = await appliance.ended(await appliance.task('shop'));
  assert.equal(task.state, 'completed', task.reason ?? '');
  const [pull, ...others] = await pulls('shop');
  assert.equal(others.length, 0);
  assert.match(pull?.body ?? '', /## What it took/);
  assert.deepEqual(
    pull?.labels.map(({ name }) => name),
    ['autocode'],
  );
  const [change] = await appliance.changes('shop');
  assert.equal(change?.url, `${gitea.url}/acme/shop/pulls/${pull?.number}`);
  assert.match(await appliance.autocode('change', 'merge', String(change.id)), /is merged into main/);
  assert.equal((await gitea.call('GET', `/repos/acme/shop/pulls/${pull?.number}`)).merged, true);
});

test('a daemon that is killed while it submits opens no second pull request', async () => {
  await addProject('killed');
  const id = await appliance.task('killed');
  const branches = async (): Promise<unknown[]> => await gitea.call('GET', '/repos/acme/killed/branches');
  await eventually(async () => ((await branches()).length > 1 ? true : undefined), 'the branch to be pushed');
  process.kill(appliance.daemonPid(), 'SIGKILL');
  await appliance.up();
  assert.equal((await appliance.ended(id)).state, 'completed');
  assert.equal((await pulls('killed')).length, 1);
  assert.equal((await branches()).length, 2);
});

test('the token is in no file of the appliance, nor with any process that is not the daemon', () => {
  for (const secret of [gitea.botToken, Buffer.from(`autocode:${gitea.botToken}`).toString('base64')]) {
    const found = execFileSync(
      'sh',
      ['-c', 'grep -rlF -e "$1" "$2" || true', 'sh', secret, appliance.dataDir],
      { encoding: 'utf8' },
    );
    assert.equal(found, '');
    for (const pid of processesOf(appliance.directory)) {
      for (const file of ['cmdline', 'environ'])
        assert.ok(!readFileSync(`/proc/${pid}/${file}`, 'utf8').includes(secret));
    }
  }
});
