import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createGitGate } from './git-gate.ts';
import { fetchMirror } from './mirror.ts';
import { workshop } from './testing/workshop.ts';
import type { Workshop } from './testing/workshop.ts';

interface Gate {
  url: string;
  /** Answers whether the fence is current; the number says how often it was asked. */
  current: { answer: (asked: number) => boolean; asked: number };
  [Symbol.asyncDispose](): Promise<void>;
}

// A server that lets the user `12-1` be the run 12-1.
async function serve(shop: Workshop, options: { maxPushBytes?: number } = {}): Promise<Gate> {
  const current: Gate['current'] = { answer: () => true, asked: 0 };
  const gate = createGitGate({
    store: shop.store,
    isCurrent: async () => current.answer(++current.asked),
    ...options,
  });
  const handled: Promise<void>[] = [];
  const server = createServer((request, response) => {
    const run = Buffer.from((request.headers.authorization ?? '').slice('Basic '.length), 'base64')
      .toString()
      .split(':')[0];
    if (run === '') return void response.writeHead(401, { 'www-authenticate': 'Basic realm="run"' }).end();
    const done = gate(request, response, { run: run!, fence: Number(run!.split('-')[1]), repository: 1 });
    handled.push(done);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://12-1:x@127.0.0.1:${(server.address() as AddressInfo).port}/git/1.git`,
    current,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      await Promise.all(handled); // each waits for its git
    },
  };
}

/** Mirror of `origin` with the refs of two runs at its first commit; a clone of the first run's, in `clone`. */
async function prepared(shop: Workshop, gate: Gate): Promise<{ mirror: string; base: string }> {
  const origin = shop.workingCopy('origin');
  const mirror = await fetchMirror(shop.store, { id: 1, origin });
  const base = shop.git('origin', 'rev-parse', 'HEAD');
  shop.git('origin', '--git-dir', mirror, 'update-ref', 'refs/runs/12-1', base);
  shop.git('origin', '--git-dir', mirror, 'update-ref', 'refs/runs/13-1', base);
  shop.git('.', 'init', '--quiet', 'clone');
  const fetched = await userGit(
    shop,
    'clone',
    'fetch',
    '--quiet',
    gate.url,
    'refs/runs/12-1:refs/heads/work',
  );
  assert.equal(fetched.code, 0, fetched.output);
  shop.git('clone', 'checkout', '--quiet', 'work');
  return { mirror, base };
}

// The event loop must stay free: the server is in this process.
async function userGit(
  shop: Workshop,
  folder: string,
  ...args: string[]
): Promise<{ code: number; output: string }> {
  const env = { PATH: '/usr/bin:/bin', HOME: join(shop.dir, 'home'), GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' };
  const child = spawn('git', args, { cwd: join(shop.dir, folder), env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (output += String(bytes)));
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}

function commit(shop: Workshop, files: Record<string, string | Buffer>): string {
  shop.write('clone', files);
  shop.git('clone', 'add', '--all');
  shop.git('clone', 'commit', '--quiet', '--message', 'work');
  return shop.git('clone', 'rev-parse', 'HEAD');
}

test('a run fetches and pushes its own ref, and may rewrite it', async () => {
  using shop = workshop();
  await using gate = await serve(shop);
  const { mirror } = await prepared(shop, gate);
  const first = commit(shop, { 'a.txt': 'a'.repeat(3_000_000) });
  const pushed = await userGit(shop, 'clone', 'push', gate.url, 'HEAD:refs/runs/12-1');
  assert.equal(pushed.code, 0, pushed.output);
  assert.equal(shop.git('origin', '--git-dir', mirror, 'rev-parse', 'refs/runs/12-1'), first);
  shop.git('clone', 'commit', '--quiet', '--amend', '--message', 'rewritten');
  const forced = await userGit(shop, 'clone', 'push', gate.url, '+HEAD:refs/runs/12-1');
  assert.equal(forced.code, 0, forced.output);
});

test('a run sees no other ref and cannot fetch another run’s commit by its id', async () => {
  using shop = workshop();
  await using gate = await serve(shop);
  const { mirror, base } = await prepared(shop, gate);
  const secret = shop.git(
    'origin',
    '--git-dir',
    mirror,
    'commit-tree',
    '-p',
    base,
    '-m',
    'of another',
    `${base}^{tree}`,
  );
  shop.git('origin', '--git-dir', mirror, 'update-ref', 'refs/runs/13-1', secret);
  const listed = await userGit(shop, 'clone', 'ls-remote', gate.url);
  assert.match(listed.output, /^[0-9a-f]{40}\trefs\/runs\/12-1\n$/);
  for (const protocol of ['0', '2']) {
    const fetched = await userGit(
      shop,
      'clone',
      '-c',
      `protocol.version=${protocol}`,
      'fetch',
      gate.url,
      secret,
    );
    assert.notEqual(fetched.code, 0, `protocol ${protocol}`);
  }
});

test('pushes elsewhere, deletions and several refs at once are refused', async () => {
  using shop = workshop();
  await using gate = await serve(shop);
  const { mirror, base } = await prepared(shop, gate);
  commit(shop, { 'a.txt': 'a' });
  const cases = [
    ['HEAD:refs/runs/13-1'],
    ['HEAD:refs/heads/main'],
    ['HEAD:refs/forge/heads/main'],
    [':refs/runs/12-1'],
    ['HEAD:refs/runs/12-1', 'HEAD:refs/runs/12-2'],
  ];
  for (const refspecs of cases) {
    const pushed = await userGit(shop, 'clone', 'push', gate.url, ...refspecs);
    assert.notEqual(pushed.code, 0, refspecs.join(' '));
  }
  const refs = shop.git('origin', '--git-dir', mirror, 'for-each-ref', '--format=%(refname) %(objectname)');
  const kept = ['refs/forge/heads/main', 'refs/runs/13-1'].map((ref) => `${ref} ${base}`);
  assert.deepEqual(
    refs.split('\n').filter((line) => !line.startsWith('refs/runs/12-1 ')),
    kept,
  );
});

test('a run that has lost its fence is refused before and in the middle of a push', async () => {
  using shop = workshop();
  await using gate = await serve(shop);
  const { mirror, base } = await prepared(shop, gate);
  commit(shop, { 'a.txt': 'a' });
  // A push is two requests and the hook; the fence goes stale just before the hook asks.
  gate.current.asked = 0;
  gate.current.answer = (asked) => asked < 3;
  const midway = await userGit(shop, 'clone', 'push', gate.url, 'HEAD:refs/runs/12-1');
  assert.notEqual(midway.code, 0);
  assert.match(midway.output, /the run 12-1 is over/);
  assert.equal(gate.current.asked, 3);
  gate.current.answer = () => false;
  const before = await userGit(shop, 'clone', 'push', gate.url, 'HEAD:refs/runs/12-1');
  assert.match(before.output, /409/);
  assert.equal(shop.git('origin', '--git-dir', mirror, 'rev-parse', 'refs/runs/12-1'), base);
});

test('a tree that holds a .git folder is refused', async () => {
  using shop = workshop();
  await using gate = await serve(shop);
  await prepared(shop, gate);
  const blob = shop.git('clone', 'hash-object', '-w', 'README.md');
  const tree = await mktree(shop, `100644 blob ${blob}\tconfig\n`);
  const outer = await mktree(shop, `040000 tree ${tree}\t.git\n`);
  const bad = shop.git('clone', 'commit-tree', '-p', 'HEAD', '-m', 'bad', outer);
  const pushed = await userGit(shop, 'clone', 'push', gate.url, `${bad}:refs/runs/12-1`);
  assert.notEqual(pushed.code, 0);
  assert.match(pushed.output, /hasDotgit|\.git/);
});

async function mktree(shop: Workshop, listing: string): Promise<string> {
  const child = spawn('git', ['mktree'], {
    cwd: join(shop.dir, 'clone'),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(listing);
  let output = '';
  child.stdout.on('data', (bytes) => (output += String(bytes)));
  await once(child, 'close');
  return output.trim();
}

test('a push over the limit is refused', async () => {
  using shop = workshop();
  await using gate = await serve(shop, { maxPushBytes: 100_000 });
  await prepared(shop, gate);
  const noise = Buffer.from(Array.from({ length: 300_000 }, () => Math.floor(Math.random() * 256)));
  commit(shop, { 'noise.bin': noise });
  const pushed = await userGit(shop, 'clone', 'push', gate.url, 'HEAD:refs/runs/12-1');
  assert.notEqual(pushed.code, 0);
  assert.match(pushed.output, /maximum allowed size/);
});

test('other paths and another repository are not served', async () => {
  using shop = workshop();
  await using gate = await serve(shop);
  await prepared(shop, gate);
  const { origin } = new URL(gate.url);
  const headers = { authorization: `Basic ${Buffer.from('12-1:x').toString('base64')}` };
  const cases: [string, number][] = [
    ['/git/1.git/HEAD', 404],
    ['/git/1.git/objects/info/packs', 404],
    ['/git/1.git/info/refs', 404],
    ['/git/1.git/../1.git/config', 404],
    ['/git/2.git/info/refs?service=git-upload-pack', 403],
  ];
  for (const [path, status] of cases)
    assert.equal((await fetch(origin + path, { headers })).status, status, path);
});

test('five thousand files go through', async () => {
  using shop = workshop();
  await using gate = await serve(shop);
  await prepared(shop, gate);
  commit(
    shop,
    Object.fromEntries(
      Array.from({ length: 5000 }, (_, index) => [`d${index % 50}/f${index}`, `content ${index}\n`]),
    ),
  );
  const pushed = await userGit(shop, 'clone', 'push', '--quiet', gate.url, 'HEAD:refs/runs/12-1');
  assert.equal(pushed.code, 0, pushed.output);
});

test('a long negotiation, which git sends compressed, is understood', async () => {
  using shop = workshop();
  await using gate = await serve(shop);
  const { mirror, base } = await prepared(shop, gate);
  for (let number = 0; number < 60; number++)
    shop.git('clone', 'commit', '--quiet', '--allow-empty', '--message', `${number}`);
  const tree = shop.git('clone', 'rev-parse', 'HEAD^{tree}');
  const moved = shop.git('origin', '--git-dir', mirror, 'commit-tree', '-p', base, '-m', 'moved', tree);
  shop.git('origin', '--git-dir', mirror, 'update-ref', 'refs/runs/12-1', moved);
  const fetched = await userGit(
    shop,
    'clone',
    '-c',
    'protocol.version=0',
    'fetch',
    gate.url,
    'refs/runs/12-1',
  );
  assert.equal(fetched.code, 0, fetched.output);
  assert.equal(shop.git('clone', 'rev-parse', 'FETCH_HEAD'), moved);
});

test('a client that goes away in the middle of a push leaves no git behind and no trace in the mirror', async () => {
  using shop = workshop();
  await using gate = await serve(shop);
  const { mirror, base } = await prepared(shop, gate);
  commit(shop, { 'a.txt': 'a' });
  let hookAsked = () => {};
  const asked = new Promise<void>((resolve) => (hookAsked = resolve));
  gate.current.asked = 0;
  gate.current.answer = (count) => {
    if (count === 3) hookAsked();
    return true;
  };
  const env = { PATH: '/usr/bin:/bin', HOME: join(shop.dir, 'home') };
  const child = spawn('git', ['push', gate.url, 'HEAD:refs/runs/12-1'], {
    cwd: join(shop.dir, 'clone'),
    env,
    detached: true,
    stdio: 'ignore',
  });
  await asked;
  process.kill(-child.pid!, 'SIGKILL');
  await once(child, 'close');
  const tip = shop.git('origin', '--git-dir', mirror, 'rev-parse', 'refs/runs/12-1');
  assert.ok([base, shop.git('clone', 'rev-parse', 'HEAD')].includes(tip));
  const again = await userGit(shop, 'clone', 'push', gate.url, 'HEAD:refs/runs/12-1');
  assert.equal(again.code, 0, again.output);
});

test('a gate that is killed in the middle of a push leaves no git behind', async () => {
  using shop = workshop();
  await using gate = await serve(shop);
  await prepared(shop, gate);
  const program = join(import.meta.dirname, 'testing/gate-process.ts');
  const places = [shop.store.dir, join(shop.dir, 'daemon-home'), join(shop.dir, 'config')];
  const server = spawn(process.execPath, [program, ...places], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(server.stdout, 'data')) as [Buffer];
  const push = request(`http://127.0.0.1:${Number(port)}/git/1.git/git-receive-pack`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-git-receive-pack-request', 'content-length': 1000 },
  }).on('error', () => {}); // it is cut off
  push.write('00');
  try {
    await eventually(() => backends(shop.dir).length > 0);
    server.kill('SIGKILL');
    await once(server, 'close');
    await eventually(() => backends(shop.dir).length === 0);
  } finally {
    server.kill('SIGKILL');
    for (const pid of backends(shop.dir)) process.kill(Number(pid), 'SIGKILL');
  }
});

test('when the fence cannot be asked about, the answer says to try again', async () => {
  using shop = workshop();
  await using gate = await serve(shop);
  await prepared(shop, gate);
  gate.current.answer = () => {
    throw new Error('database away');
  };
  const { origin } = new URL(gate.url);
  const headers = { authorization: `Basic ${Buffer.from('12-1:x').toString('base64')}` };
  const answer = await fetch(`${origin}/git/1.git/info/refs?service=git-upload-pack`, { headers });
  assert.equal(answer.status, 503);
});

/** Processes of git that serve a store below a directory. */
function backends(directory: string): string[] {
  const read = (pid: string, file: string) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'utf8');
    } catch {
      return ''; // it has ended
    }
  };
  return readdirSync('/proc').filter(
    (pid) => read(pid, 'cmdline').includes('http-backend') && read(pid, 'environ').includes(directory),
  );
}

async function eventually(condition: () => boolean): Promise<void> {
  const giveUp = performance.now() + 60_000;
  while (!condition()) {
    assert.ok(performance.now() < giveUp, 'it did not come about');
    await delay(10);
  }
}
