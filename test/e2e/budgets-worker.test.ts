// A worker job that carries a project and a daily budget in its environment, as a user starts it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { after, test } from 'node:test';
import { Budget } from '../../protocol/budget.ts';
import type { Task } from '../../protocol/task.ts';
import type { Worker } from '../../protocol/worker.ts';
import { startScriptedModel } from '../../worker-agent/agents/testing/scripted-model.ts';
import { eventually, startAppliance } from './appliance.ts';
import { OUTPUT_PRICE, scriptedEngine } from './scripted.ts';

const AUTOCODE = path.join(import.meta.dirname, '../../autocode');
/** Asks for fifty tokens, which cost 0.05, and writes the answer. */
const AGENT =
  `curl -s -o /dev/null "$OPENAI_BASE_URL/chat/completions" -H 'content-type: application/json' ` +
  `-d '{"model": "scripted", "max_tokens": 50, "messages": [{"role": "user", "content": "go"}]}'; echo 42 > answer`;

const model = await startScriptedModel(() => ({ text: 'Yes.' }));
const appliance = await startAppliance(
  scriptedEngine(model.url, { price: OUTPUT_PRICE }),
  'worker.local=false',
);
after(async () => {
  await appliance[Symbol.asyncDispose]();
  await model.close();
});

function startWorker(flags: string[], env: Record<string, string>) {
  const place = ['--name', 'job', '--set', `dataDir=${appliance.dataDir}`];
  const worker = spawn(AUTOCODE, ['worker', 'start', ...place, ...flags], {
    stdio: 'ignore',
    env: { ...process.env, ...env },
  });
  const ended = once(worker, 'exit');
  return {
    async stop() {
      worker.kill('SIGTERM');
      await ended;
    },
  };
}

const budgets = async () => Budget.array().parse(await appliance.api('GET', '/budgets'));
const registered = async (amount: number) =>
  await eventually(
    async () => (await budgets()).find((budget) => budget.amount === amount),
    'the worker to register its budget',
  );

test('a worker takes tasks of its project only, until its day is spent; started with more it goes on', async () => {
  for (const name of ['shop', 'blog']) await appliance.project(name, { agent: AGENT });
  const first = await appliance.task('shop');
  const other = await appliance.task('blog');
  const env = { AUTOCODE_WORKER_PROJECT: 'shop', AUTOCODE_WORKER_DAILY_BUDGET: '0.05' };
  let worker = startWorker([], env);
  try {
    const { scope, subject, period, unit, origin } = await registered(50_000);
    assert.deepEqual([scope, subject, period, unit, origin], ['worker', 'job', 'day', 'money', 'worker']);
    assert.equal((await appliance.ended(first)).state, 'completed');
    const list = await appliance.autocode('budget', 'list');
    assert.match(list, /worker:job\s+a day\s+0\.0500 USD\s+0\.0500 USD.*100 %\s+its start/);
    assert.match(await appliance.autocode('worker', 'list'), /job\s+online.*shop/);

    const second = await appliance.task('shop');
    const shown = await appliance.autocode('task', 'show', String(second));
    assert.match(shown, /state\s+queued/);
    assert.match(shown, /The budgets of job are used up/);
    const left = await appliance.autocode('task', 'show', String(other));
    assert.match(left, /job may work for other projects only/);

    await worker.stop();
    worker = startWorker(['--daily-budget', '1'], env);
    await registered(1_000_000);
    assert.equal((await appliance.ended(second)).state, 'completed');
    assert.equal((await appliance.api<Task>('GET', `/tasks/${other}`)).state, 'queued');
    await worker.stop();
    worker = startWorker([], {});
    assert.equal((await appliance.ended(other)).state, 'completed');
    assert.deepEqual(await budgets(), []);
    const [now] = await appliance.api<Worker[]>('GET', '/workers');
    assert.equal(now?.project, null);
  } finally {
    await worker.stop();
  }
});
