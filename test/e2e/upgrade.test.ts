// scripts/upgrade on a copy of this checkout, whose upstream has another version.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { Drain } from '../../protocol/scheduling.ts';
import type { Status } from '../../protocol/status.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** A checkout with a daemon of its own, and its upstream. */
function installation() {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'autocode-upgrade-')));
  const [upstream, checkout] = [path.join(directory, 'upstream'), path.join(directory, 'checkout')];
  const env = {
    ...process.env,
    AUTOCODE_DATA_DIR: path.join(directory, 'data'),
    AUTOCODE_WORKER_LOCAL: 'false',
  };
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.org'];
  const git = (where: string, ...args: string[]) =>
    execFileSync('git', ['-C', where, ...identity, ...args], { encoding: 'utf8' }).trim();
  execFileSync('bash', [
    '-c',
    `mkdir "$1" && cd "$0" && git ls-files -z -co --exclude-standard | while IFS= read -r -d '' file; do [[ ! -e $file ]] || printf '%s\\0' "$file"; done | tar -c --null -T - | tar -x -C "$1"`,
    root,
    upstream,
  ]);
  git(upstream, 'init', '-q', '-b', 'main');
  git(upstream, 'add', '.');
  git(upstream, 'commit', '-qm', 'old');
  git(directory, 'clone', '-q', upstream, checkout);
  for (const own of ['.runtime', 'node_modules']) symlinkSync(path.join(root, own), path.join(checkout, own));
  const command = (program: string, ...args: string[]) =>
    spawnSync(path.join(checkout, program), args, { env, encoding: 'utf8' });
  const json = <T>(...args: string[]) => JSON.parse(command('autocode', ...args, '--json').stdout) as T;
  return {
    upgrade: (...args: string[]) => command('scripts/upgrade', ...args),
    status: () => json<Status>('status'),
    drain: () => json<Drain>('drain', 'status'),
    up: () => command('autocode', 'up', '--detach'),
    head: () => git(checkout, 'rev-parse', 'HEAD'),
    checkout,
    /** Publishes a version with one file changed; gives its commit. */
    publish(file: string, change: (text: string) => string) {
      const where = path.join(upstream, file);
      writeFileSync(where, change(readFileSync(where, 'utf8')));
      git(upstream, 'commit', '-qam', `change ${file}`);
      return git(upstream, 'rev-parse', 'HEAD');
    },
    [Symbol.dispose]() {
      command('autocode', 'down');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

test('a checkout is upgraded while its daemon is drained, and a version that does not start is taken back', () => {
  using installed = installation();
  assert.equal(installed.up().status, 0);
  const { pid, version } = installed.status();
  const old = installed.head();
  assert.match(installed.upgrade().stdout, /nothing to do/);

  const next = installed.publish('package.json', (text) => text.replace(version, '9.9.9'));
  const check = installed.upgrade('--check');
  assert.match(check.stdout, /0 changes to the database; the daemon is running\n.*change package\.json/);
  assert.deepEqual([installed.head(), installed.status().pid], [old, pid]);

  const upgraded = installed.upgrade('--deadline', '5');
  assert.equal(upgraded.status, 0, upgraded.stderr);
  const after = installed.status();
  assert.deepEqual([after.version, installed.head()], ['9.9.9', next]);
  assert.notEqual(after.pid, pid);
  assert.equal(installed.drain().state, 'off');

  installed.publish('orchestrator/main.ts', (text) => `throw new Error('it is broken');\n${text}`);
  const broken = installed.upgrade();
  assert.equal(broken.status, 1);
  assert.match(broken.stderr, /does not start; going back/);
  assert.deepEqual([installed.head(), installed.status().version], [next, '9.9.9']);
  assert.equal(installed.drain().state, 'off');

  writeFileSync(path.join(installed.checkout, 'README.md'), 'changed');
  const dirty = installed.upgrade();
  assert.equal(dirty.status, 1);
  assert.match(dirty.stderr, /files of this checkout are changed/);
});
