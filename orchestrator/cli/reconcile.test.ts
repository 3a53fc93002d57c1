import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fakeApi, runCli } from './testing/run-cli.ts';

test('what differs here and in the fleet is shown together; without a daemon only what lies here', async (t) => {
  const stateDir = mkdtempSync(join(tmpdir(), 'autocode-reconcile-'));
  t.after(() => rmSync(stateDir, { recursive: true }));
  mkdirSync(join(stateDir, 'runs/left-over'), { recursive: true });
  const gone = {
    kind: 'worker',
    what: 'vm-3',
    why: 'Nomad knows no allocation 1234abcd',
    action: 'the worker is removed from the list',
    mended: false,
  };
  await using api = await fakeApi({ 'POST /fleet/reconciliations': { body: [gone] } });
  const reconcile = async (...words: string[]) =>
    await runCli(['worker', 'reconcile', '--dry-run', '--state-dir', stateDir, ...words]);
  const { stdout } = await reconcile('--url', api.url);
  assert.match(stdout, /machine +directory +\S+left-over +its run has ended +it is removed +no/);
  assert.match(stdout, /fleet +worker +vm-3 +Nomad knows no allocation 1234abcd +the worker is removed/);
  assert.deepEqual(api.requests[0]?.body, { dryRun: true });
  const here = await reconcile('--set', `dataDir=${join(stateDir, 'none')}`, '--json');
  assert.deepEqual(
    JSON.parse(here.stdout).map(({ where, kind }: { where: string; kind: string }) => [where, kind]),
    [['machine', 'directory']],
  );
});
