// Sandboxes over a root of an environment, by the real bubblewrap, crun and runsc.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { gvisorPath } from '../../test/support/gvisor.ts';
import { makeSmallRoot } from '../testing/small-root.ts';
import { writeOwnFiles } from '../workspace/environments.ts';
import { CONFINED, confinedHost } from './confined.ts';
import { rootEntries, variablesOf } from './environment-root.ts';
import { openScratchConfined } from './scratch.ts';
import { tryNode } from './self-test/node-inside.ts';
import { outputOf, tryWaysOut, verdict } from './self-test/quick.ts';

const place = mkdtempSync(path.join(os.tmpdir(), 'autocode-roots-'));
after(() => rmSync(place, { recursive: true }));
const root = path.join(place, 'whole');
makeSmallRoot(root, { scripts: { cc: '#!/bin/sh\necho only here\n' } });
mkdirSync(path.join(root, 'opt/tool/bin'), { recursive: true });
mkdirSync(path.join(root, 'var/lib'), { recursive: true });
mkdirSync(path.join(root, 'srv'));
symlinkSync('/etc', path.join(root, 'sys-of-host'));
writeFileSync(path.join(root, 'var/lib/known'), 'kept');
await writeOwnFiles(path.join(root, 'etc'));
const bare = path.join(place, 'bare');
makeSmallRoot(bare, { node: false });
mkdirSync(path.join(bare, 'etc/chromium'), { recursive: true });
await writeOwnFiles(path.join(bare, 'etc'));
const linked = path.join(place, 'linked');
makeSmallRoot(linked, { node: false });
for (const folder of [path.join(linked, 'etc/chromium'), path.join(place, 'elsewhere')])
  mkdirSync(folder, { recursive: true });
symlinkSync(path.join(place, 'elsewhere'), path.join(linked, 'etc/chromium/policies'));
await writeOwnFiles(path.join(linked, 'etc'));

const variables = {
  PATH: '/opt/tool/bin:relative',
  JAVA_HOME: '/opt/tool',
  HOME: '/root',
  LD_PRELOAD: '/x.so',
};
const environment = { name: 'e', root, variables };

for (const kind of CONFINED) {
  const host = await confinedHost(kind, gvisorPath);

  test(`${kind}: programs are the environment's, what confines is the machine's, and there is no way out`, async () => {
    const sandbox = await openScratchConfined(host, { environment });
    try {
      const { output, errors } = await outputOf(
        sandbox.spawn(
          [
            'sh',
            '-c',
            'cc; id -u; echo $PATH; echo $JAVA_HOME $HOME $LD_PRELOAD; cat /var/lib/known; git; ls /etc /opt',
          ],
          { gateway: true },
        ),
      );
      assert.deepEqual(output.trim().split('\n'), [
        'only here',
        '60999',
        '/opt/tool/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/autocode/node',
        '/opt/tool /home/agent',
        'kept/etc:',
        'group',
        'hosts',
        'nsswitch.conf',
        'passwd',
        '',
        '/opt:',
        'autocode',
        'tool',
      ]);
      assert.match(errors, /git: not found/);
      const findings = await tryWaysOut(sandbox, [sandbox.directory, place]);
      assert.match(verdict(findings, kind), /2\d ways out tried, none is open/);
      const [written] = (
        await outputOf(
          sandbox.spawn(
            ['sh', '-c', 'for at in /usr /opt/tool /etc /var/lib; do touch $at/x && echo $at; done'],
            {},
          ),
        )
      ).output.split('\n');
      assert.equal(written, '', 'nothing of it can be written');
      assert.equal(await tryNode(sandbox, 'e'), process.version);
    } finally {
      await sandbox.close();
    }
  });

  test(`${kind}: a root without the libraries that Node needs is told from one with them`, async () => {
    const sandbox = await openScratchConfined(host, {
      environment: { ...environment, name: 'bare', root: bare },
    });
    try {
      assert.match(verdict(await tryWaysOut(sandbox, [sandbox.directory]), kind), /none is open/);
      await assert.rejects(tryNode(sandbox, 'bare'), {
        code: 'ERR_ENVIRONMENT',
        message: /does not start in environment bare: .*error while loading shared libraries/,
        remedy: /glibc/,
      });
    } finally {
      await sandbox.close();
    }
  });

  test(`${kind}: a browser of an environment is told whom to trust, over no link of its root`, async () => {
    const file = (name: string) => path.join(place, name);
    for (const name of ['socket', 'authority', 'browser']) writeFileSync(file(name), name, { mode: 0o644 });
    const egress = { socket: file('socket'), authority: file('authority'), browser: file('browser') };
    for (const [name, told] of [
      ['bare', 'browser'],
      ['linked', ''],
    ] as const) {
      const sandbox = await openScratchConfined(host, {
        environment: { ...environment, name, root: path.join(place, name) },
        egress,
      });
      const policy = '/etc/chromium/policies/managed/autocode-egress.json';
      const { output } = await outputOf(sandbox.spawn(['cat', policy], { egress: true }));
      await sandbox.close();
      assert.equal(output, told, name);
    }
    assert.equal(existsSync(path.join(place, 'elsewhere/managed')), false);
  });
}

test('of a root only its own directories are seen; links are not followed on this machine', () => {
  const entries = rootEntries(root);
  assert.deepEqual(
    entries.map(({ at }) => at),
    ['/bin', '/etc', '/lib', '/lib64', '/srv', '/sys-of-host', '/usr', '/opt/tool', '/var/lib'],
  );
  assert.deepEqual(
    entries.find(({ at }) => at === '/sys-of-host'),
    { kind: 'link', at: '/sys-of-host', to: '/etc' },
  );
});

test("variables of an environment do not reach the sandbox's own, nor the loaders of programs", () => {
  const hostile = {
    LD_AUDIT: 'x',
    LD_LIBRARY_PATH: '/opt/lib',
    AUTOCODE_RUN: '1',
    GLIBC_TUNABLES: 'x',
    A: 'b',
  };
  assert.deepEqual(variablesOf({ ...environment, variables: { ...variables, ...hostile } }), {
    JAVA_HOME: '/opt/tool',
    LD_LIBRARY_PATH: '/opt/lib',
    A: 'b',
  });
});
