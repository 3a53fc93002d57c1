// The units as systemd reads them, and what the real daemon and the real worker tell it. systemd itself does not run here.
import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { notifySocket } from '../support/notify-socket.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** Those in which sandboxes are opened. */
const UNITS = ['autocode.service', 'autocode-worker.service', 'autocode-runner.service'];
const OTHERS = ['autocode-proxy.service', 'autocode-firewall.service'];
const run = promisify(execFile);

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'autocode-systemd-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

test('systemd finds nothing wrong with the units, and grades what they are exposed to as OK', async (t) => {
  const directory = temporaryDirectory(t);
  cpSync(path.join(ROOT, 'systemd/autocode-runner.socket'), path.join(directory, 'autocode-runner.socket'));
  for (const name of [...UNITS, ...OTHERS]) {
    const unit = path.join(directory, name);
    // The programs are where this checkout is.
    writeFileSync(
      unit,
      readFileSync(path.join(ROOT, 'systemd', name), 'utf8').replaceAll('/opt/autocode', ROOT),
    );
    const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', unit]);
    const told = `${stdout}${stderr}`.split('\n').filter((line) => line.includes(directory));
    // Known to systemd 254 and later.
    assert.deepEqual(
      told.filter((line) => !line.includes("Unknown key 'DelegateSubgroup'")),
      [],
    );
    await run('systemd-analyze', ['security', '--offline=true', '--threshold=45', '--no-pager', unit]);
  }
});

test('systemd finds nothing wrong with the unit of Vault, which is confined as far as it goes', async () => {
  const unit = path.join(ROOT, 'systemd/autocode-vault.service');
  const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', unit]);
  const told = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('autocode-vault'));
  assert.deepEqual(told, []);
  await run('systemd-analyze', ['security', '--offline=true', '--threshold=20', '--no-pager', unit]);
});

// The same as the units ask systemd for: a read-only root and none of the parts that it would cover, no capability, no privilege to gain.
const confined = (before: string) => `
mount --make-rprivate / && mount -o remount,bind,ro / && mount -t tmpfs none /home
${before}
exec setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \
  bwrap --unshare-all --ro-bind /usr /usr --symlink usr/lib /lib --symlink usr/lib64 /lib64 --symlink usr/bin /bin \
  --proc /proc --dev /dev --tmpfs /tmp sh -c 'test -d /proc/self && echo inside'`;

test('a sandbox opens under what the units allow, and would not if parts of /proc were covered', async () => {
  const open = await run('unshare', ['--mount', 'bash', '-c', confined('')]);
  assert.equal(open.stdout, 'inside\n');
  const tunables = 'mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys';
  await assert.rejects(run('unshare', ['--mount', 'bash', '-c', confined(tunables)]), /Can't mount proc/);
  for (const name of UNITS) {
    const unit = readFileSync(path.join(ROOT, 'systemd', name), 'utf8');
    assert.doesNotMatch(
      unit,
      /^(ProtectKernelTunables|ProtectKernelLogs|ProtectHostname|ProtectProc|ProcSubset|ProtectControlGroups|RestrictNamespaces|PrivateTmp)=/m,
      name,
    );
  }
});

/** A process of a service, started as a unit does; its socket hears what it says. */
async function startService(
  t: TestContext,
  directory: string,
  program: string,
  words: string[],
  settings: Record<string, string> = {},
) {
  const socket = await notifySocket(directory);
  const env = { ...process.env, ...settings, NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '1000000' };
  const child = spawn(path.join(ROOT, program), words, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  t.after(async () => {
    await ended(child, 'SIGKILL');
    await socket[Symbol.asyncDispose]();
  });
  return { socket, child };
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill(signal);
    await once(child, 'exit');
  }
  return child.exitCode;
}

test('the daemon is ready when it answers, lives, ends, and speaks alone', async (t) => {
  const directory = temporaryDirectory(t);
  const dataDir = path.join(directory, 'data');
  const { socket, child } = await startService(t, directory, 'autocode', ['up', '--quiet'], {
    AUTOCODE_DATA_DIR: dataDir,
  });
  await socket.until('READY=1');
  const { url } = JSON.parse(readFileSync(path.join(dataDir, 'run/daemon.json'), 'utf8')) as { url: string };
  assert.equal((await fetch(`${url}/api/v1/health`)).status, 200);
  await socket.until(`STATUS=Serves at ${url}`);
  await socket.until('WATCHDOG=1', 3);
  assert.deepEqual(children(child.pid!).filter(hasSocket), []);
  assert.ok(children(child.pid!).length >= 2, 'PostgreSQL and the worker run');

  assert.equal(await ended(child, 'SIGTERM'), 0);
  await socket.until('STOPPING=1');
  assert.equal(socket.said.filter((each) => each === 'READY=1').length, 1);
});

test('a daemon whose start fails never says that it is ready', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(path.join(directory, 'file'), '');
  const { socket, child } = await startService(t, directory, 'autocode', ['up', '--quiet'], {
    AUTOCODE_DATA_DIR: path.join(directory, 'file'),
  });
  if (child.exitCode === null) await once(child, 'exit');
  assert.notEqual(child.exitCode, 0);
  assert.deepEqual(socket.said, []);
});

test('the worker is ready also while its orchestrator is away, lives and ends', async (t) => {
  const directory = temporaryDirectory(t);
  const token = path.join(directory, 'token');
  writeFileSync(token, 'ac_worker_none');
  const places = ['state', 'tool', 'log'].flatMap((name) => [`--${name}-dir`, path.join(directory, name)]);
  const words = ['--url', 'http://127.0.0.1:9', '--token-file', token, '--name', 'vm-1', ...places];
  const { socket, child } = await startService(t, directory, 'systemd/start-worker', words);
  await socket.until('READY=1');
  await socket.until('WATCHDOG=1', 2);
  assert.equal(await ended(child, 'SIGTERM'), 0);
  await socket.until('STOPPING=1');
});

test('the runner service is ready without a claimer, lives and ends', async (t) => {
  const directory = temporaryDirectory(t);
  const places = ['state', 'tool', 'log'].flatMap((name) => [`--${name}-dir`, path.join(directory, name)]);
  const words = ['--url', 'http://127.0.0.1:9', '--socket', path.join(directory, 'runner.sock'), ...places];
  const { socket, child } = await startService(t, directory, 'systemd/start-runner', words);
  await socket.until('READY=1');
  await socket.until('WATCHDOG=1', 2);
  assert.equal(await ended(child, 'SIGTERM'), 0);
  await socket.until('STOPPING=1');
});

/** The processes that a process has started, and those that these have. */
function children(pid: number): number[] {
  const direct = globSync(`/proc/${pid}/task/*/children`).flatMap((file) =>
    readFileSync(file, 'utf8').split(' ').filter(Boolean).map(Number),
  );
  return [...direct, ...direct.flatMap(children)];
}

function hasSocket(pid: number): boolean {
  const file = `/proc/${pid}/environ`;
  try {
    // That of systemd-notify, which is gone in a moment, is as it should be.
    return (
      readFileSync(file, 'utf8').includes('NOTIFY_SOCKET=') &&
      !readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('systemd-notify')
    );
  } catch {
    return false; // it has ended
  }
}
