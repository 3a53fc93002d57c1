// Versions of the caches of dependencies, by overlay and by copy: what a run adds is in the next one, whole or not at all. As root,
// and as another user where the tests run as root.
import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';
import type { DependenciesDone, DependenciesTry } from '../testing/use-dependencies.ts';
import type { Launch, overlayLaunch } from './overlay.ts';
import { cacheEntries, pruneCache } from './prune.ts';

const PROGRAM = path.join(import.meta.dirname, '../testing/use-dependencies.ts');
const OTHER_USER = 61234;
const isRoot = process.getuid?.() === 0;
const context = () => ({ path: process.env.PATH ?? '', signal: AbortSignal.timeout(60_000) });

const asUser = (user: number | null) =>
  user === null ? [] : ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups'];
const launches = new Map<number | null, Launch>();

/** What goes before a program of this user so that it may mount; asked once. */
function launchOf(user: number | null, state: string): Launch {
  const known = launches.get(user);
  if (known !== undefined) return known;
  const ask = `import('${import.meta.dirname}/overlay.ts').then(async ({ overlayLaunch }) =>
    console.log(JSON.stringify(await overlayLaunch({ path: process.env.PATH, signal: AbortSignal.timeout(60_000) }, '${state}'))))`;
  const [program, ...words] = [...asUser(user), process.execPath, '-e', ask];
  const said = execFileSync(program, words, { cwd: state, env: { PATH: process.env.PATH, HOME: state } });
  const { launch, refused } = JSON.parse(said.toString()) as Awaited<ReturnType<typeof overlayLaunch>>;
  assert.equal(refused, null);
  launches.set(user, launch);
  return launch;
}

/** A state directory of one user, with runs that use the caches of repository 3. */
function place(user: number | null, overlay: boolean) {
  const directory = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'autocode-dependencies-')));
  const state = path.join(directory, 'state');
  mkdirSync(state);
  chmodSync(directory, 0o755);
  if (user !== null) for (const each of [directory, state]) chownSync(each, user, user);
  const env = { PATH: process.env.PATH, HOME: directory };
  const cacheDir = path.join(state, 'cache');
  const launch = overlay ? launchOf(user, state) : [];

  function start(run: string, script: string, versions: string[], more: Partial<DependenciesTry>) {
    const runDirectory = path.join(state, 'runs', run);
    mkdirSync(runDirectory, { recursive: true });
    if (user !== null)
      for (const each of [path.dirname(runDirectory), runDirectory]) chownSync(each, user, user);
    const plan: DependenciesTry = {
      shelf: { cacheDir, repository: 3, kind: 'bubblewrap' },
      versions,
      runDirectory,
      overlay,
      owner: user === null && isRoot ? OTHER_USER : null,
      script,
      limitBytes: 1_000_000,
      ...more,
    };
    const words = [...asUser(user), ...launch, process.execPath, PROGRAM, JSON.stringify(plan)];
    return spawn(words[0]!, words.slice(1), { cwd: directory, env, stdio: ['ignore', 'pipe', 'inherit'] });
  }
  return {
    state,
    start,
    version: (run: string) => path.join(cacheDir, 'dependencies/3/bubblewrap', run),
    versions: () => readdirSync(path.join(cacheDir, 'dependencies/3/bubblewrap')),
    async run(
      run: string,
      script: string,
      versions: string[] = [],
      more: Partial<DependenciesTry> = {},
    ): Promise<DependenciesDone> {
      const child = start(run, script, versions, more);
      const said = child.stdout!.toArray();
      const [code] = (await once(child, 'exit')) as [number | null];
      assert.equal(code, 0, run);
      const done = JSON.parse(Buffer.concat(await said).toString()) as DependenciesDone;
      rmSync(path.join(state, 'runs', run), { recursive: true });
      return done;
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** Waits for a file, or the end of whoever is to make it. */
async function there(file: string, child: ChildProcess): Promise<void> {
  for (const giveUp = Date.now() + 60_000; !existsSync(file) && child.exitCode === null; await delay(1))
    assert.ok(Date.now() < giveUp, file);
}

// As npm, Cargo and Go do: new files and folders, a file written anew, one removed, one that nobody may write, a link.
const FIRST =
  'mkdir -p .npm/_cacache/a/b && echo one > .npm/_cacache/a/b/c && echo old > .npm/_cacache/index && echo x > .cache/pip/gone && cd go/pkg/mod/cache/download && echo mod > m && chmod 0444 m && ln -s m link';
const SECOND =
  'cat .npm/_cacache/a/b/c && echo new > .npm/_cacache/index && rm .cache/pip/gone && echo crate > .cargo/registry/cache/it.crate';
const READ =
  'cat .npm/_cacache/a/b/c .npm/_cacache/index .cargo/registry/cache/it.crate go/pkg/mod/cache/download/link; ls .cache/pip';

for (const user of isRoot ? [null, OTHER_USER] : [null]) {
  for (const overlay of [true, false]) {
    const how = `${overlay ? 'by overlay' : 'by copy'}${user === null ? '' : ', as another user than root'}`;
    test(`what runs add, change and remove is in the version that they leave, ${how}`, async () => {
      using at = place(user, overlay);
      const first = await at.run('1-1', FIRST);
      assert.deepEqual([first.given, first.made?.files], [null, 5]);
      const second = await at.run('2-1', SECOND, ['1-1']);
      assert.deepEqual([path.basename(second.given!), second.output], ['1-1', 'one\n']);
      assert.deepEqual([second.made?.changed, second.made?.files], [2, 5]);
      const third = await at.run('3-1', READ, ['2-1', '1-1']);
      assert.deepEqual([third.output, third.made], ['one\nnew\ncrate\nmod\n', null]);
      assert.deepEqual(at.versions(), ['2-1'], 'the one before it is gone, and nothing new was made');
      const [kept, owner] = [
        at.version('2-1/tree/npm/a/b/c'),
        user ?? (isRoot ? OTHER_USER : process.getuid!()),
      ];
      assert.deepEqual([statSync(kept).uid, statSync(kept).nlink], [owner, 1]);
    });
  }
}

test('a run reads an old version and writes nothing into it', async () => {
  using at = place(null, true);
  await at.run('1-1', FIRST);
  const before = readFileSync(at.version('1-1/tree/npm/index'), 'utf8');
  const inode = statSync(at.version('1-1/tree/npm/a/b/c')).ino;
  await at.run('2-1', SECOND, ['1-1']);
  assert.equal(readFileSync(at.version('1-1/tree/npm/index'), 'utf8'), before);
  assert.equal(statSync(at.version('2-1/tree/npm/a/b/c')).ino, inode, 'what is the same takes no room twice');
});

test('a version of which nobody says that it counts is not used, and goes', async () => {
  using at = place(null, true);
  await at.run('1-1', FIRST);
  await at.run('2-1', SECOND, ['1-1']); // its run is to fail
  const third = await at.run('3-1', 'cat .npm/_cacache/index', ['1-1']);
  assert.deepEqual([third.output, at.versions()], ['old\n', ['1-1']]);
  const cleared = await at.run('4-1', 'ls .npm/_cacache/', []);
  assert.deepEqual([cleared.given, cleared.output, at.versions()], [null, '', []]);
});

test('a runner that is killed while it makes a version leaves the one before', async () => {
  using at = place(null, true);
  await at.run('1-1', FIRST);
  const many = 'cd .npm/_cacache && for n in $(seq 4000); do echo $n > $n; done';
  const child = at.start('2-1', many, ['1-1'], {});
  const ended = once(child, 'exit');
  const half = path.join(at.state, 'runs/2-1/made/tree/npm/1');
  await there(half, child); // whether it got further meanwhile does not matter
  child.kill('SIGKILL');
  await ended;
  rmSync(path.join(at.state, 'runs/2-1'), { recursive: true });
  const after = await at.run('3-1', 'cat .npm/_cacache/index; ls .npm/_cacache | wc -l', ['2-1', '1-1']);
  if (after.given?.endsWith('2-1') === true) assert.equal(after.output, 'old\n4002\n');
  else assert.equal(after.output, 'old\n2\n');
  assert.equal(at.versions().length, 1);
});

test('what is no cache, no file or leads elsewhere stays behind', async () => {
  using at = place(null, false);
  const odd = `mkfifo .npm/_cacache/fifo; rm -r .dependencies/pip; ln -s /etc .dependencies/pip; mkdir .dependencies/own
    echo evil > .dependencies/own/file; echo evil > .cargo/config.toml; chmod u+s $(mktemp -p .npm/_cacache suid-XXXX)`;
  assert.equal((await at.run('1-1', odd)).made?.files, 1);
  const left = readdirSync(at.version('1-1/tree'), { recursive: true, encoding: 'utf8' }).map((name) =>
    path.basename(name),
  );
  assert.deepEqual(
    left.filter((name) => /fifo|etc|own|config|pip$/.test(name)),
    [],
  );
  const [suid = ''] = readdirSync(at.version('1-1/tree/npm'));
  assert.equal(statSync(at.version(`1-1/tree/npm/${suid}`)).mode & 0o7000, 0);
  assert.equal((await at.run('2-1', 'ls -d .cache/pip/', ['1-1'])).output, '.cache/pip/\n');
});

test('caches that outgrow their limit begin anew', async () => {
  using at = place(null, true);
  await at.run('1-1', FIRST);
  const grown = await at.run('2-1', 'head -c 2000 /dev/zero > .cache/pip/big', ['1-1'], { limitBytes: 1000 });
  assert.equal(grown.made?.whole, false);
  const next = await at.run('3-1', 'find .dependencies/ -type f', ['2-1', '1-1']);
  assert.deepEqual([path.basename(next.given!), next.output], ['2-1', '']);
});

test('they are part of the cache of a worker: what was not used for longest goes, what a run uses stays', async () => {
  using at = place(null, true);
  await at.run('1-1', FIRST);
  const [entry] = await cacheEntries(context(), at.state);
  assert.deepEqual(
    [entry?.kind, entry?.repository, entry?.run, entry?.bytes, entry?.inUse],
    ['dependencies', 3, '1-1', 15, false],
  );
  const using = path.join(at.state, 'runs/2-1');
  mkdirSync(using);
  const child = at.start('2-1', 'sleep 1', ['1-1'], {});
  const ended = once(child, 'exit');
  await there(path.join(using, 'home'), child);
  assert.deepEqual(await pruneCache(context(), at.state, 0), []);
  await ended;
  rmSync(using, { recursive: true });
  assert.deepEqual(
    (await pruneCache(context(), at.state, 0)).map(({ run }) => run),
    ['1-1'],
  );
  assert.deepEqual(at.versions(), []);
});
