import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { processStartTime } from '../../config/daemon-file.ts';
import { groupOf } from './engine-process-group.ts';
import {
  endProcess,
  findProcess,
  isAlive,
  pidsOf,
  startProcess,
  type EngineProcess,
} from './engine-process.ts';

interface Started extends AsyncDisposable {
  engine: EngineProcess;
  printed(): string;
}

/** A shell script as an engine; it begins when the engine has been started altogether. */
async function start(script: string): Promise<Started> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'autocode-engine-'));
  const log = path.join(directory, 'log');
  const begin = path.join(directory, 'begin');
  const engine = await startProcess({
    launch: randomUUID(),
    program: '/bin/sh',
    arguments: ['-c', `until [ -e "$1" ]; do sleep 0.01; done; ${script}`, 'sh', begin],
    environment: { PATH: process.env.PATH ?? '' },
    log,
  });
  writeFileSync(begin, '');
  return {
    engine,
    printed: () => readFileSync(log, 'utf8'),
    async [Symbol.asyncDispose]() {
      await endProcess(engine, 0);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    assert.ok(performance.now() < deadline, 'in ten seconds');
    await delay(5);
  }
}

test('what an engine starts is ended with it, also what ignores signals or has a session or an environment of its own', async () => {
  await using started = await start(
    `trap '' TERM
     sleep 301 &
     setsid sleep 302 &
     grep -q autocode-engine /proc/$$/cgroup && setsid env -i sleep 303 &
     echo up; wait`,
  );
  await until(() => started.printed() === 'up\n');
  const { engine } = started;
  const inGroup = groupOf(engine.pid) === engine.launch;
  await until(() => sleepersOf(engine).length === (inGroup ? 3 : 2));
  const sleepers = sleepersOf(engine);
  assert.ok(pidsOf(engine).includes(engine.pid));
  await endProcess(engine, 50);
  assert.equal(isAlive(engine), false);
  assert.deepEqual(
    sleepers.filter(({ pid, startTime }) => processStartTime(pid) === startTime),
    [],
  );
  assert.deepEqual(globSync(`/sys/fs/cgroup/**/autocode-engine-${engine.launch}`), []);
});

/** The sleeping programs of a launch, by what each has of it. */
function sleepersOf(engine: EngineProcess) {
  const read = (pid: string, file: string) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'utf8');
    } catch {
      return '';
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^sleep\u000030[123]\u0000$/.test(read(name, 'cmdline')))
    .filter(
      (name) => groupOf(Number(name)) === engine.launch || read(name, 'environ').includes(engine.launch),
    )
    .map((name) => ({ pid: Number(name), startTime: processStartTime(Number(name)) }));
}

test('workers of an engine whose first process was killed are ended at once', async () => {
  await using started = await start('trap "" TERM; sleep 304 & echo $!; wait');
  await until(() => started.printed().endsWith('\n'));
  const worker = Number(started.printed());
  process.kill(started.engine.pid, 'SIGKILL');
  await until(() => !isAlive(started.engine));
  assert.deepEqual(pidsOf(started.engine), [worker]);
  const began = performance.now();
  await endProcess(started.engine, 60_000);
  assert.equal(processStartTime(worker), undefined);
  assert.ok(performance.now() - began < 5_000, 'the grace is for the first process');
});

test('the control group of an engine that ended by itself goes with the next start', async () => {
  await using first = await start('exit 0');
  await until(() => !isAlive(first.engine));
  const groups = () => globSync(`/sys/fs/cgroup/**/autocode-engine-${first.engine.launch}`);
  // The kernel may need a moment until nothing is in it.
  const deadline = performance.now() + 10_000;
  do {
    assert.ok(performance.now() < deadline, 'in ten seconds');
    await using _second = await start('exit 0');
  } while (groups().length > 0);
});

test('an engine outlives the process that started it and is found by its launch', async () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'autocode-engine-'));
  const launch = randomUUID();
  const log = path.join(directory, 'log');
  const options = { launch, program: '/bin/sleep', arguments: ['305'], environment: {}, log };
  const script = `
    import { startProcess } from ${JSON.stringify(path.join(import.meta.dirname, 'engine-process.ts'))};
    console.log(JSON.stringify(await startProcess(${JSON.stringify(options)})));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  const engine = JSON.parse(stdout) as EngineProcess;
  try {
    assert.ok(isAlive(engine));
    assert.deepEqual(findProcess(launch), engine);
    assert.equal(findProcess(randomUUID()), undefined);
  } finally {
    await endProcess(engine, 1_000);
    rmSync(directory, { recursive: true, force: true });
  }
  assert.equal(findProcess(launch), undefined);
});

test('a process that was given the number of an engine is left alone', async () => {
  const stranger = spawn('sleep', ['306'], { detached: true, stdio: 'ignore' });
  const pid = stranger.pid!;
  const engine = { launch: randomUUID(), pid, startTime: '1' };
  assert.equal(isAlive(engine), false);
  assert.deepEqual(pidsOf(engine), []);
  await endProcess(engine, 1_000);
  assert.notEqual(processStartTime(pid), undefined);
  stranger.kill('SIGKILL');
  await once(stranger, 'exit');
});

test('a program that cannot be started is an error', async () => {
  const log = path.join(mkdtempSync(path.join(os.tmpdir(), 'autocode-engine-')), 'log');
  const nothing = { launch: randomUUID(), program: '/nonexistent/vllm', arguments: [], environment: {}, log };
  await assert.rejects(startProcess(nothing), { code: 'ENOENT' });
  rmSync(path.dirname(log), { recursive: true });
});
