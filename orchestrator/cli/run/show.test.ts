import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import type { Run } from '../../../protocol/run.ts';
import { fakeApi, runCli } from '../testing/run-cli.ts';

test('a run shows what the ledger has, what its agent says beside it, and what its budgets leave', async () => {
  const at = '2026-11-20T10:00:00.000Z';
  const run: z.input<typeof Run> = {
    id: '7-1',
    task: 7,
    fence: 1,
    state: 'working',
    cause: null,
    reason: null,
    worker: 'w',
    agent: 'codex',
    agentVersion: '1.2',
    model: 'gpu/qwen',
    isolation: 'bubblewrap',
    iterations: 1,
    repositories: [],
    plan: null,
    checks: [],
    usage: { calls: 2, inputTokens: 9_000, cachedTokens: 0, outputTokens: 1_000, costMicros: 3_000_000 },
    agentTokens: { inputTokens: 8_500, cachedTokens: 0, outputTokens: 750 },
    logs: [],
    leaseUntil: null,
    deadline: at,
    createdAt: at,
    finishedAt: null,
  };
  const bind = {
    id: 1,
    scope: 'project',
    subject: 'shop',
    period: 'day',
    origin: 'set',
    since: '2026-11-20',
  };
  const budget = {
    currency: 'EUR',
    spent: { ...run.usage, money: 3_250_000, tokens: 10_000, gpu: 0 },
    budgets: [{ ...bind, unit: 'money', amount: 5_000_000, spent: 3_250_000, held: 0, left: 1_750_000 }],
    refused: null,
    ok: true,
    reason: null,
  };
  const refusal = {
    method: 'GET',
    url: 'https://a.example/x',
    times: 2,
    allowedBy: 'allow host=a.example',
    during: 'npm install',
  };
  const traffic = { name: '7-1', requests: 12, denied: 2, bytesOut: 3_000, bytesIn: 40_000_000 };
  const ledger = {
    'GET /runs/7-1/budget': { body: budget },
    'GET /runs/7-1/refusals': { body: [refusal] },
    'GET /traffic/report': { body: { by: 'run', groups: [traffic], complete: true } },
  };
  await using api = await fakeApi({ 'GET /runs/7-1': { body: run }, ...ledger });
  const { stdout } = await runCli(['run', 'show', '7-1', '--url', api.url]);
  assert.match(stdout, /usage +2 calls, 9\.0k tokens in, 1\.0k out, 3\.25 EUR\n/);
  assert.match(stdout, /the agent says 8\.5k tokens in, 750 out \(-7\.5 %\)\n/);
  assert.match(stdout, /budgets +project:shop: 1\.75 EUR left\n/);
  assert.match(stdout, /GET https:\/\/a\.example\/x +2 +npm install +allow host=a\.example\n/);
  assert.match(stdout, /traffic +12 requests, .* out, .* in\n/);
  const json = JSON.parse((await runCli(['run', 'show', '7-1', '--json', '--url', api.url])).stdout);
  assert.equal(json.budget.spent.money, 3_250_000);
  await using bare = await fakeApi({ 'GET /runs/7-1': { body: { ...run, agentTokens: null } }, ...ledger });
  assert.doesNotMatch((await runCli(['run', 'show', '7-1', '--url', bare.url])).stdout, /agent says/);
});
