// Agents that do what they must not, in the sandbox that every run has: each run ends as it should, and nothing of it is left —
// no process, control group, mount or directory (the end of the workplace and of the test assert it).
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { FakeRun } from '../../worker-agent/testing/fake-orchestrator.ts';
import { groupName } from '../../worker-agent/sandbox/cgroup.ts';
import { processesWith, workplace, type Workplace } from '../../worker-agent/testing/workplace.ts';

const SAMPLE = { 'answer.txt': '41\n', 'check.sh': 'grep -q 42 answer.txt\n' };
const CHECK = [{ name: 'answer', command: 'sh check.sh' }];

/** A place whose agent is a shell script; at its end no control group or mount of it is left. */
async function hell(
  script: string,
  order: Parameters<Workplace['fake']['add']>[0] = {},
): Promise<AsyncDisposable & { place: Workplace; run: FakeRun; ended(seconds?: number): Promise<void> }> {
  const place = await workplace(SAMPLE);
  const project = { id: 1, name: 'sample', trusted: false };
  const run = place.fake.add({
    isolation: 'bubblewrap',
    project,
    agentCommand: ['sh', '-c', script],
    verify: CHECK,
    ...order,
  });
  const runDirectory = path.join(place.stateDir, 'runs', run.order.run);
  place.worker();
  return {
    place,
    run,
    ended: async (seconds = 60) =>
      await place.fake.until('the end of the run', () => run.finish !== null, seconds),
    async [Symbol.asyncDispose]() {
      await place[Symbol.asyncDispose]();
      const names = ['base', 'work', 'final'].map((name) => groupName(runDirectory, name));
      assert.deepEqual(
        groupNames().filter((group) => names.includes(path.basename(group))),
        [],
        'control groups are left',
      );
      assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes(place.directory), 'mounts are left');
      assert.ok(!existsSync(place.directory), 'the directory is left');
    },
  };
}

function groupNames(): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => / - cgroup2? /.test(line))
    .map((line) => line.split(' ')[4] ?? '')
    .filter((mount) => /pids|unified|cgroup$/.test(mount))
    .flatMap((mount) =>
      readdirSync(mount)
        .filter((name) => name.startsWith('autocode-'))
        .map((name) => path.join(mount, name)),
    );
}

const pid = () => process.pid;

test('what it writes outside the work tree is refused, or gone with the run', async () => {
  const mark = `autocode-hell-${pid()}`;
  await using scene = await hell(
    `for f in /usr/${mark} /etc/${mark} /${mark} /opt/${mark} /tmp/${mark} /var/tmp/${mark} ~/../${mark} /workspace/../${mark} /proc/sys/kernel/core_pattern; do echo x > $f; done; ln -s / root; echo x > root/tmp/${mark}-2; rm root; echo 42 > answer.txt; exit 0`,
  );
  await scene.ended();
  assert.equal(scene.run.finish?.outcome, 'verified');
  for (const directory of ['/usr', '/etc', '/', '/opt', '/tmp', '/var/tmp', os.homedir()]) {
    assert.deepEqual(
      readdirSync(directory).filter((name) => name.startsWith(mark)),
      [],
      directory,
    );
  }
  assert.notEqual(readFileSync('/proc/sys/kernel/core_pattern', 'utf8'), 'x\n');
});

test('daemons that it leaves behind end with it, whatever they ignore', async () => {
  const sleep = `30${pid()}`;
  await using scene = await hell(
    `for i in 1 2 3; do setsid sh -c 'trap "" TERM HUP INT; while :; do sleep ${sleep}; done' </dev/null >/dev/null 2>&1 & done; (sleep ${sleep} &) ; echo 42 > answer.txt`,
  );
  await scene.ended();
  assert.equal(scene.run.finish?.outcome, 'verified');
  assert.deepEqual(processesWith(`sleep\0${sleep}`), []);
});

test('one that never ends and ignores SIGTERM is out of time, and a cancel ends another within two seconds', async () => {
  const script =
    'trap "" TERM INT HUP; setsid sh -c "trap \\"\\" TERM; while :; do sleep 300; done" & while :; do sleep 300; done';
  {
    await using scene = await hell(script, { deadline: new Date(Date.now() + 5_000).toISOString() });
    await scene.ended();
    assert.equal(scene.run.finish?.outcome, 'out-of-time');
  }
  await using scene = await hell(script);
  await scene.place.fake.until(
    'the agent at work',
    () => scene.run.progress.some(({ iterations }) => iterations === 1),
    30,
  );
  const asked = performance.now();
  scene.place.fake.cancel(scene.run);
  await scene.ended();
  assert.equal(scene.run.finish?.outcome, 'cancelled');
  assert.ok(performance.now() - asked < 2_000, `took ${performance.now() - asked} ms`);
});

test('when its runner is killed it is gone with it, and the worker removes what was left', async () => {
  const sleep = `31${pid()}`;
  await using scene = await hell(
    `setsid sh -c 'trap "" TERM HUP; sleep ${sleep}' & trap "" TERM HUP; sleep ${sleep}`,
  );
  const { fake } = scene.place;
  await fake.until('the agent at work', () => processesWith(`sleep\0${sleep}`).length === 2, 30);
  process.kill(scene.place.runnerOf(scene.run.order.run)!, 'SIGKILL');
  await scene.ended();
  assert.equal(scene.run.finish?.outcome, 'lost');
  assert.deepEqual(processesWith(`sleep\0${sleep}`), []);
});

test('a gigabyte of output, bytes that are no text, colours and a line without an end fill nothing', async () => {
  await using scene = await hell(
    'head -c 1000000000 /dev/zero | tr "\\0" x; head -c 100000 /dev/urandom; printf "\\033[31mred\\033[0m\\033]0;title\\007 no end"; echo 42 > answer.txt',
  );
  await scene.ended(90);
  assert.equal(scene.run.finish?.outcome, 'verified');
  const events = scene.place.fake.log(scene.run, 'events');
  assert.ok(events.length < 20_000_000, `${events.length} bytes`);
  for (const event of scene.place.fake.events(scene.run)) assert.equal(typeof event.type, 'string');
  assert.ok(!events.includes('\\u001b'), 'no escape sequence is in the events');
});

test('one that says it succeeded and did nothing, or edits the tests instead, is found out by what the commit holds', async () => {
  await using scene = await hell('echo done; exit 0');
  await scene.ended();
  assert.deepEqual([scene.run.finish?.outcome, scene.run.finish?.cause], ['failed', 'agent']);
  assert.match(scene.run.finish?.reason ?? '', /changed nothing/);
});

test('edited tests are in the diff of the change, where they are seen', async () => {
  await using scene = await hell('echo true > check.sh; exit 0');
  await scene.ended();
  assert.equal(scene.run.finish?.outcome, 'verified');
  const changed = scene.place.fake.events(scene.run).filter((event) => event.type === 'file_change');
  assert.deepEqual(
    changed.map((event) => event.path),
    ['check.sh'],
  );
});

test('what it plants in .git, in a repository within, and in .gitattributes starts nothing outside', async () => {
  const sprung = `/tmp/autocode-sprung-${pid()}`;
  const trap = `printf '#!/bin/sh\\ntouch ${sprung}; touch /workspace/sprung-inside\\n' > trap; chmod +x trap`;
  const plant =
    'git config core.fsmonitor "$PWD/trap"; git config core.hooksPath "$PWD/.git/h"; git config filter.t.clean "$PWD/trap"; git config core.sshCommand "$PWD/trap"; mkdir -p .git/h; for h in pre-commit post-checkout pre-push reference-transaction post-index-change; do cp trap .git/h/$h; cp trap .git/hooks/$h 2>/dev/null; done; echo "* filter=t" > .gitattributes';
  await using scene = await hell(
    `${trap}; mkdir -p nested; (cd nested && git init -q && cp ../trap . && ${plant}); ${plant}; printf '[core]\\n\\tworktree = /\\n\\tfsmonitor = /workspace/trap\\n' >> .git/config; echo 42 > answer.txt; rm -f sprung-inside`,
  );
  await scene.ended();
  assert.equal(scene.run.finish?.outcome, 'verified', scene.run.finish?.reason);
  assert.ok(!existsSync(sprung), 'a trap was sprung outside');
});

test("the network is not there: neither this machine's ports nor its sockets", async () => {
  const server = net.createServer((socket) => socket.end('reached')).listen(0, '127.0.0.1');
  const abstract = net.createServer((socket) => socket.end('reached')).listen(`\0autocode-hell-${pid()}`);
  let reached = 0;
  for (const each of [server, abstract]) each.on('connection', () => (reached += 1));
  await new Promise((resolve) => setImmediate(resolve));
  try {
    const { port } = server.address() as net.AddressInfo;
    const code = `for (const to of [{ port: ${port}, host: '127.0.0.1' }, { path: '\\0autocode-hell-${pid()}' }, { port: 80, host: '169.254.169.254' }, { port: 53, host: '8.8.8.8' }]) { const s = require('net').connect(to); s.on('error', (e) => console.log('refused ' + e.code)); s.on('connect', () => console.log('CONNECTED')); }`;
    await using scene = await hell(`node -e "${code.replaceAll('"', '\\"')}"; echo 42 > answer.txt`);
    await scene.ended();
    assert.equal(scene.run.finish?.outcome, 'verified');
    const said = scene.place.fake.log(scene.run, 'raw').toString();
    assert.equal(said.match(/refused/g)?.length, 4, said);
    assert.equal(reached, 0);
  } finally {
    server.close();
    abstract.close();
  }
});

test('fork bombs, hogs of memory and fillers of /tmp fail by themselves, and the run goes on', async () => {
  await using scene = await hell(
    'perl -e \'my @p; while (1) { my $p = fork; last unless defined $p; if (!$p) { sleep 60; exit } push @p, $p } kill 9, @p; print scalar @p\'; perl -e \'$a = ""; $a .= "x" x 1048576 while 1\'; dd if=/dev/zero of=/tmp/full bs=1M 2>/dev/null; dd if=/dev/zero of=/dev/shm/full bs=1M 2>/dev/null; rm -f /tmp/full /dev/shm/full; echo 42 > answer.txt',
  );
  await scene.ended(120);
  assert.equal(scene.run.finish?.outcome, 'verified', scene.run.finish?.reason);
});

test('without a sandbox nothing runs: the run fails by the platform, with what to do', async () => {
  const bin = path.join(os.tmpdir(), `autocode-bin-${pid()}`);
  mkdirSync(bin);
  for (const program of ['bwrap', 'crun', 'runsc']) {
    const refusal = `#!/bin/sh\necho "${program}: No permissions to create new namespace" >&2\nexit 1\n`;
    writeFileSync(path.join(bin, program), refusal, { mode: 0o755 });
  }
  const { PATH } = process.env;
  process.env.PATH = `${bin}:${PATH}`;
  try {
    await using scene = await hell('touch began; echo 42 > answer.txt');
    await scene.ended();
    assert.deepEqual([scene.run.finish?.outcome, scene.run.finish?.cause], ['failed', 'platform']);
    assert.match(scene.run.finish?.reason ?? '', /No permissions to create new namespace.*user namespaces/s);
    assert.deepEqual(scene.place.fake.workers.get('w1')?.isolations, ['directory']);
  } finally {
    process.env.PATH = PATH;
    rmSync(bin, { recursive: true });
  }
});
