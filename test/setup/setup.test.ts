// The wrapper ./autocode and scripts/setup: first start, interruption at every step, two at once, other users, bad machines.
import assert from 'node:assert/strict';
import fs from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { alive, checkout, hanging, until } from './checkout.ts';
import type { Checkout } from './checkout.ts';

const all = ['node', 'dependencies', 'postgres'];
const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

async function leftNothing(place: Checkout): Promise<void> {
  const left = await fs.readdir(path.join(place.directory, '.runtime'));
  assert.ok(!left.includes('new'), `left over: ${left.join(' ')}`);
}

/** Takes the right to write from everybody but root, and from root by running the command as nobody. */
async function readOnly(place: Checkout): Promise<string[]> {
  if (process.getuid?.() === 0) return nobody;
  for (const name of ['.', '.runtime']) {
    await fs.chmod(path.join(place.directory, name), 0o555).catch(() => undefined);
  }
  return [];
}

test('the first start installs everything, then runs the command; later starts install nothing', async (t) => {
  await using place = await checkout();
  const first = await place.run(['task', 'list', '--text', 'a b']);
  assert.equal(first.code, 0, first.stderr);
  assert.deepEqual(JSON.parse(first.stdout), {
    args: ['task', 'list', '--text', 'a b'],
    cache: path.join(place.directory, '.runtime/compile-cache'),
  });
  assert.match(first.stderr, /Node\.js 24.*done[^]*dependencies.*done[^]*PostgreSQL 18.*done/);
  const second = await place.run(['status']);
  assert.equal(second.code, 0);
  assert.equal(second.stderr, '');
  assert.deepEqual(await place.done(), all);
  await leftNothing(place);
  t.diagnostic(`a later start took ${Math.round(second.milliseconds)} ms, Node.js included`);
});

test('a start through a symbolic link and from another directory finds its checkout', async () => {
  await using place = await checkout();
  const link = path.join(place.state, 'autocode');
  await fs.symlink(path.join(place.directory, 'autocode'), link);
  const ended = await place.run(['up'], { command: [link], cwd: place.state });
  assert.equal(ended.code, 0, ended.stderr);
  assert.ok(ended.stdout.includes(place.directory));
});

test('a new enough Node.js of the system is used as it is', async () => {
  await using place = await checkout();
  await fs.rm(path.join(place.bin, 'node'));
  await fs.symlink(process.execPath, path.join(place.bin, 'node'));
  const ended = await place.run();
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(await place.done(), ['dependencies', 'postgres']);
});

test('with DATABASE_URL no PostgreSQL is installed, without it the next start adds it', async () => {
  await using place = await checkout();
  const own = await place.run([], { env: { DATABASE_URL: 'postgresql:///elsewhere' } });
  assert.equal(own.code, 0, own.stderr);
  assert.deepEqual(await place.done(), ['node', 'dependencies']);
  await place.run();
  assert.deepEqual(await place.done(), all);
});

for (const [index, step] of all.entries()) {
  test(`a set-up killed while it installs ${step} leaves no process and goes on from there`, async () => {
    await using place = await checkout();
    await fs.writeFile(path.join(place.state, `hang-${step}`), '');
    const started = place.start();
    const child = await hanging(place);
    process.kill(started.pid, 'SIGKILL');
    await until(async () => !(await alive(child)), 'the installer to die with its parent');
    assert.deepEqual(await place.done(), all.slice(0, index));

    await fs.rm(path.join(place.state, `hang-${step}`));
    const again = await place.run(['status']);
    assert.equal(again.code, 0, again.stderr);
    assert.deepEqual(await place.done(), all);
    await leftNothing(place);
  });
}

test('Ctrl-C during the set-up says what comes next and ends with 130', async () => {
  await using place = await checkout();
  await fs.writeFile(path.join(place.state, 'hang-dependencies'), '');
  const started = place.start();
  await hanging(place);
  process.kill(-started.pid, 'SIGINT');
  const ended = await started.ended;
  assert.equal(ended.code, 130);
  assert.match(ended.stderr, /interrupted; the next start continues here/);
});

test('first starts at the same time, one of them killed, install everything once', async () => {
  await using place = await checkout();
  await fs.writeFile(path.join(place.state, 'hang-node'), '');
  const first = place.start(['one']);
  const child = await hanging(place);
  const second = place.start(['two']);
  const third = place.start(['three']);
  await fs.rm(path.join(place.state, 'hang-node'));
  process.kill(first.pid, 'SIGKILL');
  const ended = await Promise.all([second.ended, third.ended]);
  for (const one of ended) assert.equal(one.code, 0, one.stderr);
  assert.deepEqual(await place.done(), all);
  assert.equal(await alive(child), false);
});

test('a changed lock installs only what it locks', async () => {
  await using place = await checkout();
  await place.run();
  await fs.appendFile(path.join(place.directory, 'package-lock.json'), '\n');
  const ended = await place.run();
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(await place.done(), [...all, 'dependencies']);
});

test('missing and damaged parts are repaired', async () => {
  await using place = await checkout();
  await place.run();
  await fs.rm(path.join(place.directory, 'node_modules'), { recursive: true });
  assert.equal((await place.run()).code, 0);
  assert.deepEqual((await place.done()).slice(3), ['dependencies']);
  await fs.rm(path.join(place.directory, 'node_modules/zod'), { recursive: true });
  await fs.rm(path.join(place.directory, '.runtime/postgres/bin/initdb'));
  const setup = await place.run(['setup']);
  assert.equal(setup.stdout, `${place.directory} is set up\n`);
  assert.deepEqual((await place.done()).slice(4), ['dependencies', 'postgres']);
});

test('missing programs are named together with the packages that bring them', async () => {
  await using place = await checkout({ without: ['npm', 'python3', 'git'] });
  const ended = await place.run();
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /not found: git npm python3\. Install: apt install git npm python3/);
});

const failures: [string, RegExp][] = [
  ['npm error code ENOTFOUND', /registry cannot be reached: check the network/],
  ['npm error ENOSPC: no space left on device', /the disk is full: make 700 MB free/],
  ['something else', /see the lines above/],
];
for (const [output, expected] of failures) {
  test(`a step that fails with "${output}" is explained, and the next start tries it again`, async () => {
    await using place = await checkout();
    const file = path.join(place.state, 'fail-dependencies');
    await fs.writeFile(file, `${output}\n`);
    const ended = await place.run();
    assert.equal(ended.code, 1);
    assert.equal(ended.stdout, '');
    assert.match(ended.stderr, expected);
    await fs.rm(file);
    assert.equal((await place.run()).code, 0);
    assert.deepEqual(await place.done(), all);
  });
}

test("a checkout that is not set up and not the user's own says who has to set it up", async () => {
  await using place = await checkout();
  const ended = await place.run([], { command: await readOnly(place) });
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /is not set up, and .+ may not write to it: let its owner run .+autocode setup/);
});

test("another user runs somebody's checkout with a compile cache of their own", async () => {
  await using place = await checkout();
  assert.equal((await place.run([], { command: ['bash', '-c', 'umask 077; exec "$0" "$@"'] })).code, 0);
  const env = { XDG_CACHE_HOME: path.join(place.state, 'cache') };
  const ended = await place.run(['status'], { command: await readOnly(place), env });
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal(JSON.parse(ended.stdout).cache, path.join(place.state, 'cache/autocode/compile-cache'));
});
