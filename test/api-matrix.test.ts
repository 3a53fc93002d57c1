// Every route of the API × everyone who may come: who gets in, and who is turned away with what.
// The routes are those of the built API: a new one fails here until it is written into the table of support/decided-routes.ts.
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
import { DECIDED } from './support/decided-routes.ts';

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
