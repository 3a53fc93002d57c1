// Work trees by overlay and by checkout are what a clone is, apart from each other, and gone without a trace. As root, and as
// another user where the tests run as root.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
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
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { WorkTreeDone } from '../testing/make-work-tree.ts';
import type { overlayLaunch } from './overlay.ts';
import { cacheEntries, pruneCache } from './prune.ts';

const PROGRAM = path.join(import.meta.dirname, '../testing/make-work-tree.ts');
const OTHER_USER = 61234;
const LIST =
  "find . -path ./.git -prune -o -mindepth 1 -printf '%P %y %m %l\\n' | sort; find . -path ./.git -prune -o -type f -print0 | sort -z | xargs -0 sha256sum; git status --porcelain";
const FILES = `mkdir -p deep/er empty; printf a > deep/er/a; printf b > deep/b; ln -s /etc/passwd link; ln -s deep/er dir-link
  printf x > run.sh; chmod +x run.sh; : > nothing; printf c > "$(printf 'caf\\351')"; printf n > 'new
line'; printf '*.log\\n' > .gitignore; git init -q -b main; git add -A`;

const context = () => ({ path: process.env.PATH ?? '', signal: AbortSignal.timeout(60_000) });

/** A place with a repository, in which one user makes work trees. */
function workPlace(user: number | null) {
  const place = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'autocode-tree-')));
  chmodSync(place, 0o755);
  const as = user === null ? [] : ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups'];
  if (user !== null) chownSync(place, user, user);
  const sh = (script: string) =>
    execFileSync([...as, 'sh'][0]!, [...as, 'sh', '-c', script].slice(1), {
      cwd: place,
      env: { PATH: process.env.PATH, HOME: place },
    })
      .toString('latin1')
      .trimEnd();
  sh(
    `umask 022; mkdir seed && cd seed && ${FILES}; git -c user.name=t -c user.email=t@t commit -qm base; git clone -q --bare . ../c.git`,
  );
  const base = sh('git -C c.git rev-parse HEAD');
  const state = path.join(place, 'state');
  const launch = JSON.parse(
    sh(`${process.execPath} -e "import('${import.meta.dirname}/overlay.ts').then(async ({ overlayLaunch }) =>
      console.log(JSON.stringify(await overlayLaunch({ path: process.env.PATH, signal: AbortSignal.timeout(9000) }, '${state}'))))"`),
  ) as Awaited<ReturnType<typeof overlayLaunch>>;
  const child = (run: string, script: string, { commit = base, overlay = true, stay = false } = {}) => {
    const runDirectory = path.join(state, 'runs', run);
    sh(`mkdir -p ${runDirectory}`);
    const objects = [path.join(place, 'c.git', 'objects')];
    const options = {
      root: path.join(runDirectory, 'work'),
      tree: path.join(runDirectory, 'work', 'tree'),
      cacheDir: path.join(state, 'cache'),
      owner: user === null && process.getuid?.() === 0 ? OTHER_USER : null,
      handOver: false,
      repository: 3,
      objects,
      runDirectory,
      baseCommit: base,
      commit,
      branch: `autocode/${run}`,
      overlay,
    };
    const plan = JSON.stringify({ options, cache: path.join(place, 'c.git'), script, stay });
    const [program, ...args] = [...as, ...launch.launch, process.execPath, PROGRAM, plan];
    return spawn(program, args, {
      cwd: place,
      env: { PATH: process.env.PATH, HOME: place },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  };
  const done = async (...parts: Parameters<typeof child>): Promise<WorkTreeDone> => {
    const process = child(...parts);
    const [[line]] = await Promise.all([once(process.stdout, 'data'), once(process, 'exit')]);
    return JSON.parse(String(line)) as WorkTreeDone;
  };
  return {
    place,
    state,
    base,
    launch,
    sh,
    child,
    done,
    [Symbol.dispose]: () => rmSync(place, { recursive: true, force: true }),
  };
}

const users = process.getuid?.() === 0 ? [null, OTHER_USER] : [null];
for (const user of users) {
  const who = user === null ? 'this user' : 'another user than root';

  test(`an overlay is what a clone is, before and after the first (${who})`, async (t) => {
    using work = workPlace(user);
    if (work.launch.refused !== null) return t.skip(`no overlay here: ${work.launch.refused}`);
    const clone = work.sh(`umask 022; git clone -q c.git clone && cd clone && ${LIST}`);
    const first = await work.done('1-1', LIST);
    const second = await work.done('2-1', LIST);
    const plain = await work.done('3-1', LIST, { overlay: false });
    assert.deepEqual(
      [first.kind, second.kind, plain.kind],
      ['overlay over a checkout made now', 'overlay', 'checkout'],
    );
    for (const each of [first, second, plain]) {
      assert.equal(each.output.trimEnd(), clone);
      assert.equal(each.commit, null);
    }
  });

  test(`what one run does, no other sees, and its result has it all (${who})`, async (t) => {
    using work = workPlace(user);
    if (work.launch.refused !== null) return t.skip(`no overlay here: ${work.launch.refused}`);
    const before = await work.done('1-1', LIST);
    // The same size and the same times as before: only the time of the change itself tells, which git compares by the second.
    const sly =
      'sleep 1.1; touch -r nothing stamp; touch -r deep/b stamp; printf B > deep/b; touch -r stamp deep/b; rm stamp';
    const changed = await work.done(
      '2-1',
      `${sly}; rm -r deep/er; mv run.sh ran.sh; mkdir -p sub/.git; printf s > sub/s; printf l > x.log; cat .git/HEAD`,
    );
    assert.match(changed.output, /refs\/heads\/autocode\/2-1/);
    const changes = changed.changes.map(({ path: file, change }) => `${change} ${file}`).sort();
    assert.deepEqual(changes, [
      'added ran.sh',
      'added sub/s',
      'deleted deep/er/a',
      'deleted run.sh',
      'modified deep/b',
    ]);
    assert.equal((await work.done('3-1', LIST)).output, before.output);
    work.sh(`git -C c.git fetch -q ${work.state}/runs/2-1/export.git ${changed.commit}`);
    const next = await work.done('2-2', 'cat deep/b; ls; git status --porcelain', {
      commit: changed.commit!,
    });
    assert.equal(next.output, 'Bcaf\xe9\ndeep\ndir-link\nlink\nnew\nline\nnothing\nran.sh\nsub\n');
    assert.deepEqual([next.kind, next.commit !== null], ['overlay', true]);
  });

  test(`a killed run leaves no mount, and what it had half made is not used (${who})`, async (t) => {
    using work = workPlace(user);
    if (work.launch.refused !== null) return t.skip(`no overlay here: ${work.launch.refused}`);
    const half = path.join(work.state, 'cache/checkouts/3', `.making-${work.base}`);
    work.sh(`mkdir -p ${half}/tree && echo half > ${half}/tree/half`);
    const child = work.child('1-1', 'printf y > y; ls', { stay: true });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    assert.doesNotMatch((JSON.parse(line.toString()) as WorkTreeDone).output, /half/);
    assert.ok(!existsSync(half));
    const mounts = () => readFileSync('/proc/self/mountinfo', 'utf8').includes(work.place);
    assert.equal(mounts(), false);
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.equal(mounts(), false);
    assert.deepEqual(readdirSync(path.join(work.state, 'runs/1-1/work/tree')), []);
    rmSync(path.join(work.state, 'runs/1-1'), { recursive: true });
  });
}

test('pruning takes what was used longest ago, and nothing that a run uses', async (t) => {
  using work = workPlace(null);
  if (work.launch.refused !== null) return t.skip(`no overlay here: ${work.launch.refused}`);
  await work.done('1-1', 'true');
  mkdirSync(path.join(work.state, 'cache', '.removed-cut-off'));
  const entries = async () =>
    (await cacheEntries(context(), work.state)).map(({ kind, inUse }) => `${kind} ${inUse}`);
  assert.deepEqual(await entries(), ['checkout true']);
  assert.deepEqual(await pruneCache(context(), work.state, 0), []);
  rmSync(path.join(work.state, 'runs/1-1'), { recursive: true });
  assert.deepEqual(await pruneCache(context(), work.state, 1e9), []);
  assert.equal((await pruneCache(context(), work.state, 0))[0]?.commit, work.base);
  assert.deepEqual(await entries(), []);
  assert.deepEqual(readdirSync(path.join(work.state, 'cache')), ['checkouts']);
  assert.equal((await work.done('2-1', 'true')).kind, 'overlay over a checkout made now');
});
