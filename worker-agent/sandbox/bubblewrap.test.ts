// The sandbox by the real bubblewrap, as the user who runs the tests and, under root, as an ordinary one too.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { bubblewrapHost } from './bubblewrap-host.ts';
import { testConfinement } from './testing/confinement.ts';

testConfinement(await bubblewrapHost(process.env.PATH ?? ''));

test('without bubblewrap, or with one that fails, there is no sandbox and the remedy is told', async () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'autocode-no-bwrap-'));
  try {
    await assert.rejects(bubblewrapHost(directory), {
      code: 'ERR_SANDBOX',
      remedy: /apt install bubblewrap/,
    });
    const fake = (words: string) => {
      writeFileSync(path.join(directory, 'bwrap'), `#!/bin/sh\necho "${words}" >&2\nexit 1\n`);
      chmodSync(path.join(directory, 'bwrap'), 0o755);
    };
    fake('bwrap: setting up uid map: Permission denied');
    await assert.rejects(bubblewrapHost(directory), {
      code: 'ERR_SANDBOX',
      message: /uid map/,
      remedy: /user namespaces/,
    });
    fake('bwrap: Unknown option --disable-userns');
    await assert.rejects(bubblewrapHost(directory), { code: 'ERR_SANDBOX', message: /too old/ });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('the same holds for an ordinary user', (context) => {
  if (process.getuid?.() !== 0) return context.diagnostic('these tests are run by one already');
  const home = mkdtempSync(path.join(os.tmpdir(), 'autocode-user-'));
  const own = path.join(home, 'checkout');
  try {
    // A copy: the checkout may lie where an ordinary user cannot go.
    const root = path.join(import.meta.dirname, '../..');
    execFileSync('cp', [
      '-r',
      ...['worker-agent', 'protocol', 'telemetry', 'package.json'].map((name) => path.join(root, name)),
      home,
    ]);
    execFileSync('cp', [process.execPath, path.join(home, 'node')]);
    execFileSync('cp', ['-rL', path.join(root, 'node_modules/zod'), home]);
    execFileSync('sh', [
      '-c',
      `mkdir -p ${own}/node_modules && mv ${home}/zod ${own}/node_modules/ && mv ${home}/worker-agent ${home}/protocol ${home}/telemetry ${home}/package.json ${own}/ && chown -R 61998:61998 ${home} && chmod 755 ${home}`,
    ]);
    const { status, stdout } = spawnSync(
      'setpriv',
      [
        '--reuid=61998',
        '--regid=61998',
        '--clear-groups',
        path.join(home, 'node'),
        '--test',
        path.join(own, 'worker-agent/sandbox/bubblewrap.test.ts'),
      ],
      {
        cwd: home,
        env: { PATH: process.env.PATH, HOME: home, TMPDIR: os.tmpdir() },
        encoding: 'utf8',
        timeout: 120_000,
      },
    );
    assert.equal(status, 0, stdout);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
