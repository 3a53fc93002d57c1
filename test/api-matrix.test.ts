// Every route of the API × everyone who may come: who gets in, and who is turned away with what.
// The routes are those of the built API: a new one fails here until it is written into the table below.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { InjectOptions } from 'fastify';
import { ROLES, type Role } from '../protocol/access.ts';
import type { WorkOrder } from '../protocol/worker.ts';
import { createToken, revokeToken } from '../orchestrator/access/tokens.ts';
import type { Access } from '../orchestrator/api/authentication.ts';
import { testApi, type TestApi } from '../orchestrator/api/testing.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';

const DECIDED: Record<Access, string[]> = {
  public: [
    'GET /api/openapi.json',
    'GET /api/v1/health',
    'GET /api/v1/certificate-authority',
    'POST /api/v1/session',
    'GET /api/v1/sign-in-ways',
    'GET /api/v1/oidc/authorization',
    'GET /api/v1/oidc/callback',
    'POST /api/v1/welcomes',
    'GET /*',
    'GET /assets/*',
    'POST /api/v1/worker-joins',
    'POST /api/v1/webhooks/gitea/:forge',
    'POST /api/v1/webhooks/github/:forge',
    'POST /api/v1/webhooks/gitlab/:forge',
    'POST /api/v1/intake/hooks/:source',
  ],
  viewer: [
    'GET /api/v1/board',
    'GET /api/v1/cards',
    'GET /api/v1/changes',
    'GET /api/v1/changes/:change',
    'GET /api/v1/changes/:change/diff',
    'GET /api/v1/dead-letters',
    'GET /api/v1/drain',
    'GET /api/v1/egress',
    'GET /api/v1/environments',
    'GET /api/v1/environments/:environment',
    'GET /api/v1/egress-policy',
    'GET /api/v1/traffic',
    'GET /api/v1/traffic/report',
    'GET /api/v1/traffic/timeline',
    'GET /api/v1/runs/:run/refusals',
    'GET /api/v1/egress-policy/proposal',
    'GET /api/v1/egress-policy/versions',
    'GET /api/v1/egress-presets',
    'POST /api/v1/egress-policy/tests',
    'GET /api/v1/events',
    'GET /api/v1/budgets',
    'GET /api/v1/gpus',
    'GET /api/v1/incidents',
    'GET /api/v1/incidents/:incident',
    'GET /api/v1/intake/deliveries',
    'GET /api/v1/intake/deliveries/:delivery',
    'GET /api/v1/intake/source-kinds',
    'GET /api/v1/intake/sources',
    'GET /api/v1/intake/sources/:source',
    'GET /api/v1/ledger',
    'GET /api/v1/ledger/verification',
    'GET /api/v1/metrics',
    'GET /api/v1/local-models',
    'GET /api/v1/local-models/:model',
    'GET /api/v1/local-models/:model/decisions',
    'GET /api/v1/local-models/:model/log',
    'GET /api/v1/model-commands/:id',
    'GET /api/v1/models',
    'GET /api/v1/model-roles',
    'GET /api/v1/model-tests',
    'GET /api/v1/notifications',
    'POST /api/v1/notifications/read',
    'GET /api/v1/notification-channels',
    'GET /api/v1/own-notification-rules',
    'POST /api/v1/own-notification-rules',
    'DELETE /api/v1/own-notification-rules/:rule',
    'PATCH /api/v1/own-notification-rules/:rule',
    'GET /api/v1/own-notification-settings',
    'PATCH /api/v1/own-notification-settings',
    'POST /api/v1/own-notification-tests',
    'GET /api/v1/push-key',
    'GET /api/v1/push-subscriptions',
    'POST /api/v1/push-subscriptions',
    'DELETE /api/v1/push-subscriptions/:subscription',
    'GET /api/v1/prices',
    'GET /api/v1/projects',
    'GET /api/v1/project-figures',
    'GET /api/v1/projects/:project',
    'GET /api/v1/projects/:project/dependencies',
    'GET /api/v1/projects/:project/file',
    'GET /api/v1/projects/:project/memory',
    'GET /api/v1/projects/:project/memory/versions',
    'GET /api/v1/projects/:project/settings',
    'POST /api/v1/project-files/check',
    'POST /api/v1/model-plans',
    'GET /api/v1/fleet/allocations',
    'GET /api/v1/fleet/allocations/:allocation',
    'GET /api/v1/fleet/deployments',
    'GET /api/v1/fleet/deployments/:evaluation',
    'GET /api/v1/fleet/nodes',
    'GET /api/v1/forges',
    'GET /api/v1/projects/:project/models',
    'GET /api/v1/runs',
    'GET /api/v1/runs/:run',
    'GET /api/v1/runs/:run/calls',
    'GET /api/v1/runs/:run/diff',
    'GET /api/v1/runs/:run/logs/:stream',
    'GET /api/v1/runs/:run/logs/:stream/lines',
    'GET /api/v1/runs/:run/logs/:stream/matches',
    'GET /api/v1/status',
    'GET /api/v1/session',
    'DELETE /api/v1/session',
    'PUT /api/v1/own-password',
    'GET /api/v1/own-sessions',
    'DELETE /api/v1/own-sessions',
    'DELETE /api/v1/own-sessions/:session',
    'GET /api/v1/own-tokens',
    'POST /api/v1/own-tokens',
    'DELETE /api/v1/own-tokens/:id',
    'GET /api/v1/task-preview',
    'GET /api/v1/tasks',
    'GET /api/v1/tasks/:task',
    'GET /api/v1/tasks/:task/explanation',
    'GET /api/v1/tasks/:task/messages',
    'GET /api/v1/usage',
    'GET /api/v1/workers',
  ],
  'viewer or run': ['GET /api/v1/runs/:run/budget'],
  operator: [
    'GET /api/v1/fleet/allocations/:allocation/logs',
    'POST /api/v1/changes/:change/close',
    'POST /api/v1/changes/:change/merge',
    'POST /api/v1/changes/:change/resolve',
    'POST /api/v1/model-tests',
    'GET /api/v1/notification-deliveries',
    'GET /api/v1/purchases',
    'POST /api/v1/purchases',
    'POST /api/v1/local-models/:model/commands',
    'POST /api/v1/projects',
    'POST /api/v1/repository-looks',
    'PATCH /api/v1/projects/:project',
    'PATCH /api/v1/projects/:project/models',
    'DELETE /api/v1/projects/:project',
    'DELETE /api/v1/projects/:project/dependencies',
    'DELETE /api/v1/projects/:project/memory',
    'POST /api/v1/projects/:project/repositories',
    'DELETE /api/v1/projects/:project/repositories/:repository',
    'POST /api/v1/incidents/:incident/reopen',
    'POST /api/v1/incidents/:incident/resolve',
    'POST /api/v1/intake/deliveries/:delivery/replay',
    'POST /api/v1/intake/items/:item/approve',
    'POST /api/v1/intake/items/:item/reject',
    'POST /api/v1/intake/sources/:source/pause',
    'POST /api/v1/intake/sources/:source/resume',
    'POST /api/v1/intake/sources/:source/test',
    'POST /api/v1/tasks',
    'PATCH /api/v1/tasks/:task',
    'POST /api/v1/tasks/:task/approve',
    'POST /api/v1/tasks/:task/cancel',
    'POST /api/v1/tasks-from-issues',
    'POST /api/v1/runs/:run/replay',
    'POST /api/v1/forges',
    'GET /api/v1/forges/:forge/repositories',
    'POST /api/v1/tasks/:task/messages',
    'POST /api/v1/tasks/:task/reject',
    'POST /api/v1/tasks/:task/retry',
  ],
  admin: [
    'PUT /api/v1/budgets',
    'POST /api/v1/intake/sources',
    'PATCH /api/v1/intake/sources/:source',
    'DELETE /api/v1/intake/sources/:source',
    'POST /api/v1/environments/:environment',
    'DELETE /api/v1/environments/:environment',
    'POST /api/v1/budget-documents',
    'DELETE /api/v1/budgets/:budget',
    'POST /api/v1/ledger',
    'GET /api/v1/runs/:run/prompts',
    'GET /api/v1/runs/:run/prompts/:call',
    'POST /api/v1/prices',
    'POST /api/v1/fleet/plans',
    'POST /api/v1/fleet/deployments',
    'PUT /api/v1/fleet/nodes/:node/drain',
    'DELETE /api/v1/fleet/nodes/:node/drain',
    'DELETE /api/v1/fleet/allocations/:allocation',
    'POST /api/v1/fleet/reconciliations',
    'PUT /api/v1/workers/:worker/drain',
    'DELETE /api/v1/workers/:worker/drain',
    'PUT /api/v1/drain',
    'PUT /api/v1/egress-policy',
    'PUT /api/v1/egress-policy/recording',
    'POST /api/v1/egress-policy/rehearsals',
    'DELETE /api/v1/drain',
    'PUT /api/v1/model-roles/:role',
    'DELETE /api/v1/model-roles/:role',
    'POST /api/v1/notification-channels/:channel/tests',
    'GET /api/v1/notification-rules',
    'POST /api/v1/notification-rules',
    'DELETE /api/v1/notification-rules/:rule',
    'PATCH /api/v1/notification-rules/:rule',
    'POST /api/v1/purchases/:purchase/approve',
    'POST /api/v1/purchases/:purchase/reject',
    'POST /api/v1/purchases/:purchase/resolve',
    'GET /api/v1/scenario',
    'GET /api/v1/secret-bindings',
    'POST /api/v1/secret-bindings',
    'DELETE /api/v1/secret-bindings/:binding',
    'GET /api/v1/secret-leases',
    'GET /api/v1/secrets',
    'GET /api/v1/secrets/:secret/history',
    'POST /api/v1/secrets/:secret/reveal',
    'PUT /api/v1/secrets/:secret',
    'DELETE /api/v1/secrets/:secret',
    'GET /api/v1/keys',
    'POST /api/v1/keys',
    'DELETE /api/v1/keys/:id',
    'GET /api/v1/worker-invites',
    'POST /api/v1/worker-invites',
    'DELETE /api/v1/worker-invites/:id',
    'GET /api/v1/people',
    'GET /api/v1/audit-records',
    'GET /api/v1/settings',
    'PATCH /api/v1/settings',
    'POST /api/v1/restart',
    'POST /api/v1/people',
    'GET /api/v1/people/:person',
    'PATCH /api/v1/people/:person',
    'POST /api/v1/people/:person/links',
    'DELETE /api/v1/people/:person/sessions',
    'GET /api/v1/sessions',
    'DELETE /api/v1/sessions/:session',
    'GET /api/v1/tokens',
    'POST /api/v1/tokens',
    'DELETE /api/v1/tokens/:id',
  ],
  worker: [
    'PUT /api/v1/workers/:worker',
    'POST /api/v1/workers/:worker/claim',
    'GET /api/v1/environments/:environment/archive',
  ],
  run: [
    'POST /api/v1/runs/:run/base',
    'GET /api/v1/runs/:run/environment',
    'POST /api/v1/runs/:run/finish',
    'POST /api/v1/runs/:run/heartbeat',
    'GET /api/v1/runs/:run/dependencies',
    'PUT /api/v1/runs/:run/dependencies',
    'GET /api/v1/runs/:run/memory',
    'PUT /api/v1/runs/:run/memory',
    'POST /api/v1/runs/:run/logs/:stream',
    'POST /api/v1/runs/:run/messages',
    'POST /api/v1/runs/:run/progress',
    'GET /api/v1/runs/:run/signals',
    'GET /git/:repository.git/*',
    'POST /git/:repository.git/*',
  ],
};

/** Who gets in, by what a route asks for. */
const LET_IN: Record<Access, readonly Role[]> = {
  public: ROLES,
  viewer: ['viewer', 'operator', 'admin'],
  'viewer or run': ['viewer', 'operator', 'admin', 'run'],
  operator: ['operator', 'admin'],
  admin: ['admin'],
  worker: ['worker', 'admin'],
  run: ['run'],
};

const PLACES: Record<string, string> = {
  ':change': '9',
  ':project': 'none',
  ':task': '9999',
  ':id': '999999',
  ':worker': 'nobody',
  ':stream': 'events',
  ':forge': 'none',
  ':secret': 'none',
  ':person': 'nobody',
  ':session': '999999',
  ':budget': '999999',
  ':binding': '999999',
  ':purchase': '999999',
  ':call': '999999',
  ':repository': '1',
  ':role': 'coder',
  ':rule': '999999',
  ':channel': 'none',
  '*': 'info/refs',
};

describe('every route × every token', () => {
  let api: TestApi;
  let order: WorkOrder;
  const strangers = new Map<string, string | null>();
  const routes: [route: string, access: Access][] = Object.entries(DECIDED).flatMap(([access, all]) =>
    all.flatMap((route) =>
      [route, ...(route.startsWith('GET ') ? [route.replace('GET ', 'HEAD ')] : [])].map(
        (each): [string, Access] => [each, access as Access],
      ),
    ),
  );

  before(async () => {
    api = await testApi();
    order = await aRun(api, 'p');
    const revoked = await createToken(api.db.pool, { name: 'revoked', role: 'admin' });
    await revokeToken(api.db.pool, revoked.id);
    const expired = await createToken(api.db.pool, { name: 'expired', role: 'admin' });
    await api.db.pool.query(`update token set expires_at = now() - interval '1 second' where id = $1`, [
      expired.id,
    ]);
    strangers
      .set('no token', null)
      .set('a revoked token', revoked.token)
      .set('an expired token', expired.token);
    strangers.set('nonsense', 'nonsense').set('a forged token', `ac_admin_${'A'.repeat(43)}`);
  });
  after(async () => await api[Symbol.asyncDispose]());

  it('every route has its place in the table', () => {
    assert.deepEqual(Object.fromEntries(api.app.access), Object.fromEntries(routes));
  });

  for (const [route, access] of routes) {
    it(`${route} is for ${access}`, async () => {
      const status = async (token: string | null, run = order.run) =>
        (await request(api, route, token, run)).statusCode;
      for (const [name, token] of strangers) {
        const got = await status(token);
        if (access === 'public') assert.ok(got !== 401 && got !== 403, `${name}: ${got}`);
        else assert.equal(got, 401, name);
      }
      for (const role of ROLES) {
        const token =
          role === 'run' ? order.runToken : role === 'gateway' ? order.gatewayKey : await api.token(role);
        const got = await status(token);
        if (LET_IN[access].includes(role))
          assert.ok(
            got !== 401 && got !== 403 && (got < 500 || route.endsWith('/status')),
            `${role}: ${got}`,
          );
        else assert.equal(got, 403, role);
      }
    });
  }

  for (const route of [...DECIDED.run, ...DECIDED['viewer or run']].filter((each) => each.includes(':run'))) {
    it(`${route} is closed to another run's token`, async () => {
      assert.equal((await request(api, route, order.runToken, '77-1')).statusCode, 403);
    });
  }

  it("a run's token opens the mirror of its own repository and no other", async () => {
    const other = await aRun(api, 'q');
    const advertised = async (gitPath: string, token: string) =>
      (
        await api.app.inject({
          url: `${gitPath}/info/refs?service=git-upload-pack`,
          headers: { authorization: `Bearer ${token}` },
        })
      ).statusCode;
    assert.equal(await advertised(order.repositories[0]!.gitPath, other.runToken), 403);
    assert.notEqual(await advertised(other.repositories[0]!.gitPath, other.runToken), 403);
  });

  it('a token that is revoked opens nothing from then on', async () => {
    const { id, token } = await createToken(api.db.pool, { name: 'brief', role: 'viewer' });
    assert.equal((await request(api, 'GET /api/v1/tasks', token)).statusCode, 200);
    await api.send('admin', 'DELETE', `/api/v1/tokens/${id}`);
    assert.equal((await request(api, 'GET /api/v1/tasks', token)).statusCode, 401);
  });
});

/** A request with nothing in it: who is let in is told that something is missing. */
async function request(api: TestApi, route: string, token: string | null, run = '9-1') {
  const [method, pattern] = route.split(' ', 2) as [InjectOptions['method'], string];
  const url = pattern.replace(':run', run).replaceAll(/:\w+|\*/g, (place) => PLACES[place] ?? place);
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  return await api.app.inject({ method: method!, url: `${url}?waitSeconds=0`, headers });
}

/** A claimed run of a new project. */
async function aRun(api: TestApi, project: string): Promise<WorkOrder> {
  await api.send('admin', 'POST', '/api/v1/projects', {
    name: project,
    trusted: true,
    agent: 'command',
    agentCommand: ['true'],
  });
  await api.send('admin', 'PUT', '/api/v1/workers/w', {
    protocol: PROTOCOL_VERSION,
    version: '0',
    capacity: 5,
    agents: [],
    isolations: ['bubblewrap', 'directory'],
    host: 'h',
  });
  await api.send('admin', 'POST', '/api/v1/tasks', { project, title: 'do it' });
  return (
    await api.send('admin', 'POST', '/api/v1/workers/w/claim', { claimId: randomUUID(), waitSeconds: 0 })
  ).body;
}
