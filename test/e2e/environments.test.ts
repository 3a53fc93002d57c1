// Environments on a whole appliance: a root directory is imported on the command line, and runs see its programs and not the machine's.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { execFileSync } from 'node:child_process';
import type { Environment } from '../../protocol/environment.ts';
import type { Run } from '../../protocol/run.ts';
import { makeSmallRoot } from '../../worker-agent/testing/small-root.ts';
import { makeRepository, startAppliance } from './appliance.ts';

const appliance = await startAppliance();
after(async () => await appliance[Symbol.asyncDispose]());
const roots = mkdtempSync(path.join(tmpdir(), 'autocode-roots-'));
after(() => rmSync(roots, { recursive: true, force: true }));
const root = path.join(roots, 'small');
const repository = makeRepository(path.join(appliance.directory, 'shop'), {
  check: 'cc && test "$(cat answer)" = "compiled here" && ! test -e /usr/bin/git\n',
  answer: '41\n',
});

before(async () => {
  makeSmallRoot(root, { scripts: { cc: '#!/bin/sh\necho compiled here\n' } });
  const verify = [{ name: 'test', command: 'sh ./check' }];
  const agentCommand = ['sh', '-c', 'cc > answer'];
  await appliance.api('POST', '/projects', {
    name: 'shop',
    repository,
    agent: 'command',
    agentCommand,
    verify,
  });
});

const environment = async (...words: string[]) => await appliance.autocode('environment', ...words);

/** The run of a task that was done as it should. */
async function done(): Promise<{ run: Run; log: string }> {
  const task = await appliance.task('shop');
  const ended = await appliance.ended(task);
  const log = await appliance.autocode('task', 'logs', String(task));
  assert.equal(ended.state, 'completed', `${ended.reason ?? ''}\n${log}`);
  return { run: JSON.parse(await appliance.autocode('run', 'show', `${task}-1`, '--json')) as Run, log };
}

test('a run in an environment has a program that only this has, in all its sandboxes, and the record says which it was', async () => {
  assert.match(await environment('list'), /no environment/);
  await environment('import', 'small', root);
  await appliance.autocode('project', 'set', 'shop', '--environment', 'small');
  assert.match(await appliance.autocode('project', 'show', 'shop'), /environment +small +the project/);
  const [first] = JSON.parse(await environment('list', '--json')) as Environment[];
  assert.deepEqual(first?.projects, ['shop']);
  const { run, log } = await done();
  assert.deepEqual(run.environment, { name: 'small', digest: first?.digest });
  assert.match(log, /Environment small \([0-9a-f]{12}\), fetched from the orchestrator\./);
  assert.match(log, /ways out tried, none is open/);
});

test('a worker that has lost its cache fetches it again, and a new version is what later runs have', async () => {
  const before = JSON.parse(await environment('show', 'small', '--json')) as Environment;
  const cache = path.join(appliance.directory, 'data/worker/cache/environments');
  assert.ok(existsSync(path.join(cache, before.digest)), 'the cache has it');
  rmSync(cache, { recursive: true });
  assert.match((await done()).log, /fetched from the orchestrator/);
  const archive = path.join(roots, 'small.tar.gz');
  writeFileSync(path.join(root, 'usr/bin/more'), '#!/bin/sh\n', { mode: 0o755 });
  execFileSync('tar', ['-C', root, '-czf', archive, '.']);
  await environment('import', 'small', archive);
  const now = JSON.parse(await environment('show', 'small', '--json')) as Environment;
  assert.notEqual(now.digest, before.digest);
  assert.equal((await done()).run.environment?.digest, now.digest);
  assert.match(
    await appliance.autocode('worker', 'cache'),
    new RegExp(`environment .*${now.digest.slice(0, 10)}`),
  );
});

test('check tells what an environment has, and suggest how well it fits a checkout', async () => {
  const { ok, answers } = JSON.parse(await environment('check', 'small', '--json')) as {
    ok: boolean;
    answers: { name: string; result: string; detail: string }[];
  };
  const of = (name: string) => answers.find((each) => each.name === name);
  assert.ok(ok, JSON.stringify(answers));
  assert.match(of('Node of the agents')?.detail ?? '', /^v\d/);
  assert.deepEqual([of('cc')?.detail, of('git')?.result], ['compiled here', 'missing']);
  writeFileSync(path.join(roots, '.tool-versions'), 'python 3.12\n');
  assert.match(await environment('suggest', roots), /small +python 3\.12 \(not there\)/);
});

test('one that cannot run the agents fails the run before it begins, and says why', async () => {
  const broken = path.join(roots, 'broken');
  makeSmallRoot(broken, { node: false });
  await environment('import', 'broken', broken);
  await appliance.autocode('project', 'set', 'shop', '--environment', 'broken');
  const ended = await appliance.ended(await appliance.task('shop'));
  assert.equal(ended.state, 'failed');
  assert.match(
    ended.reason ?? '',
    /Node does not start in environment broken: .*error while loading shared libraries/,
  );
});

test('an environment that is not there, in use, or without a sandbox is refused', async () => {
  await assert.rejects(
    appliance.autocode('project', 'set', 'shop', '--environment', 'nowhere'),
    /no environment nowhere/,
  );
  await assert.rejects(environment('remove', 'broken', '--yes'), /that of shop/);
  await assert.rejects(
    appliance.autocode('project', 'set', 'shop', '--isolation', 'directory', '--trusted'),
    /needs a sandbox/,
  );
  await appliance.autocode('project', 'set', 'shop', '--environment', 'host');
  assert.match(await environment('remove', 'broken', '--yes'), /out of use/);
});
