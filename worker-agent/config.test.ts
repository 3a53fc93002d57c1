// Settings of the worker from flags and file.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { runnerArguments, runnerConfig, workerConfig } from './config.ts';

test('flags go over the file, and all mistakes are told at once', async () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'autocode-config-'));
  try {
    const file = path.join(directory, 'worker.yaml');
    writeFileSync(
      file,
      `url: http://127.0.0.1:1\ntokenFile: t\nstateDir: ${directory}/state\ntoolDir: tools\nlogDir: logs\nconcurrency: 3\nname: w1\n`,
    );
    const config = await workerConfig(['--config', file, '--concurrency', '5']);
    assert.equal(config.concurrency, 5);
    assert.equal(config.name, 'w1');
    await assert.rejects(workerConfig(['--config', file, '--concurrency', 'many', '--name', 'A B']), {
      code: 'ERR_CONFIG',
      message: /concurrency:.*name:|name:.*concurrency:/,
    });
    await assert.rejects(workerConfig([]), { code: 'ERR_CONFIG' });
    await assert.rejects(workerConfig(['--config', path.join(directory, 'none')]), { code: 'ERR_CONFIG' });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('project and daily budget of a job are in its environment, over the file and under the flags', async (t) => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'autocode-config-'));
  t.after(() => {
    rmSync(directory, { recursive: true });
    delete process.env.AUTOCODE_WORKER_PROJECT;
    delete process.env.AUTOCODE_WORKER_DAILY_BUDGET;
  });
  const file = path.join(directory, 'worker.yaml');
  writeFileSync(
    file,
    `url: http://127.0.0.1:1\ntokenFile: t\nstateDir: ${directory}/state\ntoolDir: tools\nlogDir: logs\nproject: blog\n`,
  );
  process.env.AUTOCODE_WORKER_DAILY_BUDGET = '';
  const { project, dailyBudget } = await workerConfig(['--config', file]);
  assert.deepEqual([project, dailyBudget], ['blog', undefined]);
  process.env.AUTOCODE_WORKER_PROJECT = 'shop';
  process.env.AUTOCODE_WORKER_DAILY_BUDGET = '12.50';
  const job = await workerConfig(['--config', file]);
  assert.deepEqual([job.project, job.dailyBudget], ['shop', 12.5]);
  assert.equal((await workerConfig(['--config', file, '--daily-budget', '3'])).dailyBudget, 3);
  process.env.AUTOCODE_WORKER_DAILY_BUDGET = 'plenty';
  await assert.rejects(workerConfig(['--config', file]), { code: 'ERR_CONFIG', message: /dailyBudget/ });
});

test('labels are a list in a file, and words between commas as a flag and in the environment of a job', async (t) => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'autocode-config-'));
  t.after(() => {
    rmSync(directory, { recursive: true });
    delete process.env.AUTOCODE_WORKER_LABELS;
  });
  const file = path.join(directory, 'worker.yaml');
  writeFileSync(
    file,
    `url: http://127.0.0.1:1\ntokenFile: t\nstateDir: ${directory}/state\ntoolDir: tools\nlogDir: logs\nlabels: [gpu]\n`,
  );
  const labels = async (...flags: string[]) => (await workerConfig(['--config', file, ...flags])).labels;
  assert.deepEqual(await labels(), ['gpu']);
  process.env.AUTOCODE_WORKER_LABELS = 'gpu,big';
  assert.deepEqual(await labels(), ['gpu', 'big']);
  assert.deepEqual(await labels('--labels', ''), []);
  await assert.rejects(labels('--labels', 'No Name'), { code: 'ERR_CONFIG', message: /labels/ });
});

test('a runner reads the settings that the worker gave it', () => {
  const config = {
    directory: '/d',
    url: 'http://u',
    cacheDir: '/c',
    toolDir: '/t',
    sandbox: { memoryMb: 512, pids: 64, cpus: 1.5, toolchains: ['/opt/go'] },
    workspace: { overlay: true, cacheBytes: 1e9, runBytes: 2e9, dependencyBytes: 1e9 },
  };
  assert.deepEqual(runnerConfig(runnerArguments(config)), config);
  assert.throws(() => runnerConfig([]), { code: 'ERR_CONFIG' });
});
