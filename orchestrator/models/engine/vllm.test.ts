import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { LocalModel } from '../../../protocol/local-model.ts';
import { findProcess } from './engine-process.ts';
import type { Handle, Launch, ManagedEngine } from './managed.ts';
import { vllmEngine } from './vllm.ts';

const signal = new AbortController().signal;
const PATH = process.env.PATH ?? '';

interface Rig extends Disposable {
  engine: ManagedEngine;
  directory: string;
}

/** An engine whose `vllm` is a shell script; undefined: there is none. */
function rig(script?: string): Rig {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'autocode-vllm-'));
  if (script !== undefined)
    writeFileSync(path.join(directory, 'vllm'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const environment = { PATH: `${directory}:${script === undefined ? '' : PATH}` };
  return {
    engine: vllmEngine({
      program: 'vllm',
      logs: path.join(directory, 'logs'),
      environment,
      warn: assert.fail,
    }),
    directory,
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  };
}

const launchOf = (): Launch => ({
  id: randomUUID(),
  model: LocalModel.parse({ name: 'coder', path: 'coder' }),
  replica: 0,
  weights: '/weights/coder',
  gpus: [0],
  gpuMemoryUtilization: 0.9,
});

async function failure(engine: ManagedEngine, handle: Handle) {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const health = await engine.health(handle, signal);
    if (health.state === 'failed') return health;
    assert.ok(performance.now() < deadline, health.state);
    await delay(10);
  }
}

test('a machine without vLLM says what to install, before anything is recorded', async () => {
  using here = rig();
  const note = async () => assert.fail('nothing runs');
  await assert.rejects(here.engine.start(launchOf(), note, signal), {
    code: 'ERR_ENGINE_UNAVAILABLE',
    message: 'vLLM cannot be started: there is no program vllm.',
    remedy: /models\.local\.vllm/,
  });
  assert.deepEqual(readdirSync(here.directory), []);
});

test('an engine that ends says why, from its own part of the log', async () => {
  using here = rig('echo "OSError: [Errno 98] Address already in use" >&2; exit 1');
  const first = await here.engine.start(launchOf(), async () => {}, signal);
  assert.match((await failure(here.engine, first)).detail, /port was taken/);
  writeFileSync(path.join(here.directory, 'vllm'), '#!/bin/sh\nexit 3\n', { mode: 0o755 });
  const second = await here.engine.start(launchOf(), async () => {}, signal);
  assert.match((await failure(here.engine, second)).detail, /without a word/);
  assert.equal(first.log, second.log);
  await here.engine.stop(first);
});

test('an engine is noted before its start returns, is loading until it listens, and nothing is left when it is stopped', async () => {
  using here = rig('echo "INFO 11-21 18:00:00 [loader.py:1] Loading weights"; sleep 300');
  const launch = launchOf();
  let noted: Handle | undefined;
  const handle = await here.engine.start(launch, async (told) => void (noted = told), signal);
  assert.deepEqual(noted, handle);
  assert.match(handle.endpoint, /^http:\/\/127\.0\.0\.1:\d+$/);
  const deadline = performance.now() + 10_000;
  let health = await here.engine.health(handle, signal);
  while (health.state === 'loading' && health.detail !== 'Loading weights') {
    assert.ok(performance.now() < deadline);
    await delay(10);
    health = await here.engine.health(handle, signal);
  }
  assert.deepEqual(health, { state: 'loading', detail: 'Loading weights' });
  const { log: _, ...found } = (await here.engine.find(launch))!;
  const { log: __, ...started } = handle;
  assert.deepEqual(found, started);
  await here.engine.stop(handle);
  assert.equal(findProcess(launch.id), undefined);
  assert.equal(await here.engine.find(launch), undefined);
  await here.engine.stop(handle);
});

test('an engine that could not be noted does not stay', async () => {
  using here = rig('sleep 300');
  const launch = launchOf();
  const note = async () => {
    throw new Error('no database');
  };
  await assert.rejects(here.engine.start(launch, note, signal), /no database/);
  assert.equal(findProcess(launch.id), undefined);
  await assert.rejects(
    here.engine.start(launch, async () => {}, AbortSignal.abort(new Error('stopped'))),
    /stopped/,
  );
  assert.equal(findProcess(launch.id), undefined);
});
