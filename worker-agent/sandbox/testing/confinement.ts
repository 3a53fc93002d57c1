// What every sandbox that confines must keep to, tried on the real one; a test file for each kind runs it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { processesOf, usedBy } from '../../run-processes.ts';
import type { ConfinedHost } from '../confined.ts';
import { openScratchConfined, type ScratchConfined, type ScratchOptions } from '../scratch.ts';
import { outputOf, tryWaysOut, verdict } from '../self-test/quick.ts';
import { writeInHome } from '../write-inside.ts';

/** Registers the tests. */
export function testConfinement(host: ConfinedHost): void {
  /** A sandbox whose end asserts that no process, group or directory is left. */
  async function box(
    options: ScratchOptions = {},
  ): Promise<
    AsyncDisposable & { sandbox: ScratchConfined; sh(script: string): ReturnType<typeof outputOf> }
  > {
    const sandbox = await openScratchConfined(host, options);
    const [record] = readdirSync(sandbox.directory).filter((name) => name.endsWith('.cgroup.json'));
    const groups =
      record === undefined
        ? []
        : (JSON.parse(readFileSync(path.join(sandbox.directory, record), 'utf8')) as string[]);
    return {
      sandbox,
      sh: async (script) => await outputOf(sandbox.spawn(['sh', '-c', script], {})),
      async [Symbol.asyncDispose]() {
        await sandbox.close();
        assert.deepEqual(processesOf(sandbox), [], 'processes are left');
        assert.deepEqual(groups.filter(existsSync), [], 'control groups are left');
        assert.ok(!existsSync(sandbox.directory), 'the directory is left');
        assert.ok(
          !readFileSync('/proc/self/mountinfo', 'utf8').includes(sandbox.directory),
          'mounts are left',
        );
      },
    };
  }

  test('there is no way out of those that the quick self-test tries', async () => {
    await using place = await box();
    assert.match(
      verdict(await tryWaysOut(place.sandbox, [place.sandbox.directory]), place.sandbox.kind),
      /2\d ways out tried, none is open/,
    );
  });

  test('programs see /workspace, a HOME and a user of their own, and nothing of the host', async () => {
    await using place = await box();
    const { output } = await place.sh(
      'pwd; id -u; cd ~ && pwd; touch ~/a /workspace/b /tmp/c && ls /workspace; ls -d /home/* /root /srv /var/lib 2>/dev/null; env | grep -c SECRET',
    );
    assert.deepEqual(output.trim().split('\n'), [
      '/workspace',
      '60999',
      '/home/agent',
      'b',
      '/home/agent',
      '0',
    ]);
    assert.ok(existsSync(path.join(place.sandbox.tree, 'b')));
  });

  test('the gateway answers on a fixed address, and ends of connections pass', async () => {
    const server = http
      .createServer((request, response) => response.end(`asked for ${request.url}`))
      .listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      await using place = await box({
        gatewayUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      });
      const script = `const answers = await Promise.all([1, 2, 3].map(async (n) => await (await fetch('${place.sandbox.gatewayUrl}/v1/' + n)).text())); console.log(answers.join())`;
      const { output, errors } = await outputOf(
        place.sandbox.spawn([place.sandbox.node, '--input-type=module', '-e', script], { gateway: true }),
      );
      assert.equal(output, 'asked for /v1/1,asked for /v1/2,asked for /v1/3\n', errors);
    } finally {
      server.close();
    }
  });

  test('signals reach the program and its group, what it ends with is told, and what it leaves is taken in', async () => {
    await using place = await box();
    const child = place.sandbox.spawn(
      ['sh', '-c', 'trap "exit 7" TERM; echo ready; while :; do sleep 0.05; done'],
      {},
    );
    child.stdout.once('data', () => child.kill('SIGTERM'));
    assert.deepEqual(await child.exited, { code: 7, signal: null });
    const hard = place.sandbox.spawn(
      ['sh', '-c', 'trap "" TERM; echo ready; while :; do sleep 0.05; done'],
      {},
    );
    hard.stdout.once('data', () => hard.kill('SIGKILL'));
    assert.equal((await hard.exited).signal, 'SIGKILL');
    assert.equal((await place.sh('nosuchprogram')).code, 127);
    const orphan =
      '(true & echo $! > ~/orphan); read -r it < ~/orphan; while kill -0 $it 2>/dev/null; do :; done; echo gone';
    const { output, errors, code } = await place.sh(`${orphan}; kill -9 $$`);
    assert.match(errors, /^(Killed)?$/); // as a plain sh says
    assert.deepEqual({ output, code }, { output: 'gone\n', code: null });
  });

  test('a program that is killed before it has begun does not begin', async () => {
    await using place = await box();
    const child = place.sandbox.spawn(['sh', '-c', 'touch /workspace/begun'], {});
    child.kill('SIGKILL');
    await child.exited;
    await place.sandbox.killAll();
    assert.ok(!existsSync(path.join(place.sandbox.tree, 'begun')));
  });

  test('all that was started is gone with killAll, whatever it did to stay', async () => {
    await using place = await box();
    const script =
      'trap "" TERM HUP INT; for i in 1 2 3 4 5; do setsid sh -c "trap \\"\\" TERM HUP; echo up; sleep 300; sleep 300" & done; wait';
    const child = place.sandbox.spawn(['sh', '-c', script], {});
    let ups = 0;
    await new Promise<void>((resolve) =>
      child.stdout.on(
        'data',
        (chunk: Buffer) => (ups += chunk.toString().split('up').length - 1) >= 5 && resolve(),
      ),
    );
    await place.sandbox.killAll();
    assert.deepEqual(processesOf(place.sandbox), []);
    await child.exited;
  });

  test('limits hold for all processes together', async (context) => {
    if (host.cgroups === null) return context.diagnostic('this user can make no control groups');
    await using place = await box({ limits: { memoryMb: 96, pids: 30, cpus: 0.5 } });
    const { output } = await place.sh(
      'for i in 1 2 3 4; do perl -e \'$a = "x" x (40 << 20); print "o"; close STDOUT; sleep 1\' & done; wait',
    );
    assert.ok(output.length <= 2, `${output.length} × 40 MB`);
    const forks = await place.sh(
      "perl -e 'my $n = 0; while (1) { my $p = fork; last unless defined $p; if (!$p) { sleep 20; exit } $n++ } print $n'",
    );
    assert.ok(Number(forks.output) < 30, forks.output);
  });

  test('what its programs use is told: memory without the files that are cached, time, processes', async () => {
    await using place = await box();
    const { sandbox } = place;
    const look = sandbox.used ?? (async () => usedBy(processesOf(sandbox)));
    const before = await look();
    assert.deepEqual([before.processes, before.memoryBytes < 2 ** 20], [0, true]);
    const script =
      'dd if=/dev/zero of=/workspace/large bs=1M count=150 2>/dev/null; exec perl -e \'my $held = "x" x shift; print "there"; close STDOUT; 1 while 1\' 104857600';
    await once(sandbox.spawn(['sh', '-c', script], {}).stdout, 'data');
    const there = await look();
    const megabytes = there.memoryBytes / 2 ** 20;
    assert.ok(megabytes >= 100 && megabytes < 200, String(megabytes));
    assert.ok(there.processes > 0);
    const giveUp = performance.now() + 60_000;
    while ((await look()).cpuSeconds < there.cpuSeconds + 0.2) assert.ok(performance.now() < giveUp);
  });

  test('/tmp takes half of the memory', async () => {
    await using place = await box({ limits: { memoryMb: 64 } });
    const { output } = await place.sh(
      'dd if=/dev/zero of=/tmp/full bs=1M count=60 2>/dev/null; stat -c %s /tmp/full',
    );
    assert.equal(Number(output), 32 * 2 ** 20);
  });

  test('a file is written into HOME by a program inside, so that a link in its place leads nowhere', async () => {
    await using place = await box();
    const victim = path.join(place.sandbox.directory, 'victim');
    writeFileSync(victim, 'whole');
    await place.sh(`ln -s ${victim} ~/settings.json; mkdir ~/there`);
    assert.equal(await writeInHome(place.sandbox, 'settings.json', '{}'), '/home/agent/settings.json');
    await writeInHome(place.sandbox, 'there', 'a file where a directory was');
    assert.equal(readFileSync(victim, 'utf8'), 'whole');
    assert.equal((await place.sh('cat ~/settings.json ~/there')).output, '{}a file where a directory was');
    await place.sh('chmod 500 ~');
    await assert.rejects(writeInHome(place.sandbox, 'more', ''), { code: 'ERR_AGENT_FAILED' });
    await place.sh('chmod 700 ~');
  });

  test('nothing that is open here is open inside, and no argument or variable of ours is to be read', async () => {
    await using place = await box();
    const { output } = await place.sh(
      'ls -l /proc/self/fd | grep -c "pipe\\|socket\\|host:"; tr "\\0" " " < /proc/1/cmdline; cat /proc/1/environ 2>/dev/null',
    );
    assert.match(output, /^2\n/);
    assert.ok(!output.includes(place.sandbox.directory));
    assert.ok(host.kind !== 'bubblewrap' || !output.includes(place.sandbox.mark)); // there it is the program's own
  });
}
