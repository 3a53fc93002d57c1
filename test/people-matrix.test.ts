// Every route of the API × people with roles in single projects: what is of their projects opens, what is of others is not even told
// to exist, and what cannot be narrowed is refused. The routes are those of the built API: a new one that says nothing is closed.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { InjectOptions } from 'fastify';
import type { Access } from '../orchestrator/api/authentication.ts';
import { namesProject } from '../orchestrator/api/project-scope.ts';
import { testApi, type TestApi } from '../orchestrator/api/testing.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';

/** Routes whose address names no project and that open all the same: lists of what is theirs, themselves, what all may know. */
const OPEN = [
  'GET /api/v1/board',
  'GET /api/v1/cards',
  'GET /api/v1/changes',
  'GET /api/v1/drain',
  'GET /api/v1/environments',
  'GET /api/v1/incidents',
  'GET /api/v1/intake/deliveries',
  'GET /api/v1/events',
  'GET /api/v1/model-roles',
  'GET /api/v1/models',
  'GET /api/v1/projects',
  'GET /api/v1/project-figures',
  'GET /api/v1/runs',
  'GET /api/v1/task-preview',
  'GET /api/v1/tasks',
  'GET /api/v1/session',
  'DELETE /api/v1/session',
  'PUT /api/v1/own-password',
  'GET /api/v1/own-sessions',
  'DELETE /api/v1/own-sessions',
  'DELETE /api/v1/own-sessions/:session',
  'GET /api/v1/own-tokens',
  'POST /api/v1/own-tokens',
  'DELETE /api/v1/own-tokens/:id',
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
  'POST /api/v1/own-email-letters',
  'POST /api/v1/own-email-confirmations',
  'GET /api/v1/push-key',
  'GET /api/v1/push-subscriptions',
  'POST /api/v1/push-subscriptions',
  'DELETE /api/v1/push-subscriptions/:subscription',
];
/** Their address names a project, but they decide what its runs may reach outside of it: the sandbox, repositories, models. */
const CLOSED = [
  'PATCH /api/v1/projects/:project',
  'DELETE /api/v1/projects/:project',
  'PATCH /api/v1/projects/:project/models',
  'POST /api/v1/projects/:project/repositories',
  'DELETE /api/v1/projects/:project/repositories/:repository',
];
/** The project is in the body. */
const BY_BODY = ['POST /api/v1/tasks', 'POST /api/v1/tasks-from-issues'];

const RANK: Partial<Record<Access, number>> = { viewer: 1, 'viewer or run': 1, operator: 2, admin: 3 };
const people = { viewer: 1, operator: 2, admin: 3 };
type Person = keyof typeof people;

describe('every route × people of one project', () => {
  let api: TestApi;
  const tokens = new Map<string, string>();
  const places: Record<'own' | 'other', Record<string, string>> = { own: {}, other: {} };

  before(async () => {
    api = await testApi();
    for (const [place, project] of [
      ['own', 'shop'],
      ['other', 'vault'],
    ] as const) {
      const { task, run } = await aRun(api, project);
      const incident = await anIncident(api, project, task);
      places[place] = {
        ':project': project,
        ':task': String(task),
        ':run': run,
        ':change': '999999',
        ':incident': String(incident),
        ...(await aDelivery(api, project)),
      };
    }
    for (const role of Object.keys(people)) {
      const input = { name: role, projects: { shop: role } };
      const { body } = await api.send('admin', 'POST', '/api/v1/people', input);
      tokens.set(role, await tokenOf(api, body.person.id));
    }
  });
  after(async () => await api[Symbol.asyncDispose]());

  const status = async (role: Person, route: string, place: 'own' | 'other', token = tokens.get(role)!) =>
    (await request(api, route, token, places[place])).statusCode;

  it('what the address narrows opens by the role in its project, and is not there in another', async () => {
    for (const [route, access] of api.app.access) {
      const least = RANK[access];
      if (least === undefined || !namesProject(route) || CLOSED.includes(route)) continue;
      for (const role of Object.keys(people) as Person[]) {
        const got = await status(role, route, 'own');
        // A change of none is the same as a foreign one.
        if (route.includes(':change')) assert.equal(got, 404, `${role} ${route}`);
        else if (people[role] < least) assert.equal(got, 403, `${role} ${route}`);
        else assert.ok(got !== 401 && got !== 403 && got < 500, `${role} ${route}: ${got}`);
        assert.equal(await status(role, route, 'other'), 404, `${role} ${route} of another project`);
      }
    }
  });

  it('what nothing narrows is refused, but for what is theirs or may be known to all', async () => {
    for (const [route, access] of api.app.access) {
      const least = RANK[access];
      if (access === 'public' || BY_BODY.includes(route)) continue;
      if (namesProject(route) && !CLOSED.includes(route)) continue;
      for (const role of ['viewer', 'operator', 'admin'] as const) {
        const got = await status(role, route, 'own');
        const open = least !== undefined && OPEN.includes(route.replace('HEAD ', 'GET '));
        if (open) assert.ok(got !== 401 && got !== 403 && got < 500, `${role} ${route}: ${got}`);
        else assert.equal(got, 403, `${role} ${route}`);
      }
    }
  });

  it('what the body narrows opens for an operator of that project', async () => {
    const give = async (role: Person, project: string) =>
      (
        await api.send(
          null,
          'POST',
          '/api/v1/tasks',
          { project, title: 't' },
          {
            authorization: `Bearer ${tokens.get(role)}`,
          },
        )
      ).status;
    assert.equal(await give('operator', 'shop'), 201);
    assert.equal(await give('viewer', 'shop'), 403);
    assert.equal(await give('operator', 'vault'), 404);
    assert.equal(await give('operator', 'none'), 404);
  });

  it('lists hold what is of their projects alone', async () => {
    const list = async (url: string) =>
      (await api.send(null, 'GET', url, undefined, { authorization: `Bearer ${tokens.get('viewer')}` })).body;
    const projects = (rows: { project: string }[]) => [...new Set(rows.map(({ project }) => project))];
    assert.deepEqual(projects(await list('/api/v1/tasks')), ['shop']);
    assert.deepEqual(await list('/api/v1/tasks?project=vault'), []);
    assert.deepEqual(await list('/api/v1/tasks?project=none'), []);
    assert.deepEqual(projects(await list('/api/v1/cards')), ['shop']);
    const board = await list('/api/v1/board');
    const counted = board.columns.reduce((sum: number, { count }: { count: number }) => sum + count, 0);
    assert.equal(counted, (await list('/api/v1/tasks')).length);
    assert.deepEqual(
      (await list('/api/v1/projects')).map(({ name }: { name: string }) => name),
      ['shop'],
    );
    const runs = (await list('/api/v1/runs')).map(({ id }: { id: string }) => id);
    assert.deepEqual(runs, [places.own[':run']]);
    assert.deepEqual(await list(`/api/v1/runs?task=${places.other[':task']}`), []);
    const incidents = (await list('/api/v1/incidents')).map(({ id }: { id: number }) => String(id));
    assert.deepEqual(incidents, [places.own[':incident']]);
    const deliveries = (await list('/api/v1/intake/deliveries')).map(({ id }: { id: number }) => String(id));
    assert.deepEqual(deliveries, [places.own[':delivery']]);
    const shop = (await list('/api/v1/projects/shop')).id;
    const events = await list('/api/v1/events?limit=1000');
    assert.ok(events.length > 0);
    assert.ok(events.every(({ project }: { project: number }) => project === shop));
    assert.deepEqual(await list(`/api/v1/events?task=${places.other[':task']}`), []);
    assert.equal((await list('/api/v1/task-preview?project=vault')).error.code, 'ERR_NOT_FOUND');
    const diff = `/api/v1/runs/${places.own[':run']}/diff?against=${places.other[':run']}`;
    assert.equal((await list(diff)).error.code, 'ERR_NOT_FOUND');
  });

  it('a role in all projects goes before a lesser one in some, and the other way round', async () => {
    const input = { name: 'both', role: 'viewer', projects: { shop: 'operator' } };
    const { body } = await api.send('admin', 'POST', '/api/v1/people', input);
    const token = await tokenOf(api, body.person.id);
    const retry = 'POST /api/v1/tasks/:task/retry';
    assert.ok(![403, 404].includes(await status('viewer', retry, 'own', token)));
    assert.equal(await status('viewer', retry, 'other', token), 403);
    assert.equal(await status('viewer', 'GET /api/v1/tasks/:task', 'other', token), 200);
    assert.equal(await status('viewer', 'GET /api/v1/workers', 'other', token), 200);
  });
});

/** A token of a person that opens all that the person may. */
async function tokenOf(api: TestApi, person: number): Promise<string> {
  const { body } = await api.send('admin', 'POST', '/api/v1/tokens', { name: `of ${person}`, role: 'admin' });
  await api.db.pool.query('update token set person = $2 where id = $1', [body.id, person]);
  return body.token;
}

async function request(api: TestApi, route: string, token: string, places: Record<string, string>) {
  const [method, pattern] = route.split(' ', 2) as [InjectOptions['method'], string];
  const url = pattern.replaceAll(/:\w+|\*/g, (place) => places[place] ?? '999999');
  const headers = { authorization: `Bearer ${token}` };
  return await api.app.inject({ method: method!, url: `${url}?waitSeconds=0`, headers });
}

/** A claimed run of a new project. */
async function aRun(api: TestApi, project: string): Promise<{ task: number; run: string }> {
  const made = { name: project, trusted: true, agent: 'command', agentCommand: ['true'] };
  await api.send('admin', 'POST', '/api/v1/projects', made);
  await api.send('admin', 'PUT', '/api/v1/workers/w', {
    protocol: PROTOCOL_VERSION,
    version: '0',
    capacity: 5,
    agents: [],
    isolations: ['bubblewrap', 'directory'],
    host: 'h',
  });
  const { body: task } = await api.send('admin', 'POST', '/api/v1/tasks', { project, title: 'do it' });
  const claim = { claimId: randomUUID(), waitSeconds: 0 };
  const { body } = await api.send('admin', 'POST', '/api/v1/workers/w/claim', claim);
  return { task: task.id, run: body.run };
}

/** An incident that a task of a project investigates. */
async function anIncident(api: TestApi, project: string, task: number): Promise<number> {
  const { rows } = await api.db.pool.query<{ incident: number }>(
    `with made as (insert into incident (title, first_at, last_at) values ('Alarm', now(), now()) returning id)
     insert into incident_task (task, incident, project) select $1, made.id, p.id from made, project p where p.name = $2
     returning incident`,
    [task, project],
  );
  return rows[0]!.incident;
}

/** Something that came for a project, and waits for a person. */
async function aDelivery(api: TestApi, project: string): Promise<{ ':delivery': string; ':item': string }> {
  const { rows } = await api.db.pool.query<{ id: number; delivery: number }>(
    `with came as (insert into intake_delivery (source, delivery, via, event, sha256) values ('s', $1, 'webhook', 'e', '') returning id)
     insert into intake_item (delivery, source, scope, key, title, verdict, claims, project)
       select came.id, 's', 's', $1, 'Do it', 'quarantined', true, p.id from came, project p where p.name = $1 returning id, delivery`,
    [project],
  );
  return { ':delivery': String(rows[0]!.delivery), ':item': String(rows[0]!.id) };
}
