import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { testApi, type Answer, type TestApi } from '../testing.ts';

const PASSWORD = 'correct horse battery';
const WRONG = { code: 'ERR_UNAUTHENTICATED', message: 'Name or password is not right.' };

let api: TestApi;
before(async () => void (api = await testApi()));
after(async () => await api[Symbol.asyncDispose]());

/** A person with a password; the link's answer is a session already. */
async function person(name: string, rights: object = { role: 'viewer' }): Promise<SignedInAs> {
  const made = await api.send('admin', 'POST', '/api/v1/people', { name, ...rights });
  assert.equal(made.status, 201, made.text);
  return await welcomed(made.body.link.url);
}

async function welcomed(url: string): Promise<SignedInAs> {
  const code = url.split('/').at(-1);
  return as(await api.send(null, 'POST', '/api/v1/welcomes', { code, password: PASSWORD }));
}

interface SignedInAs {
  cookie: string;
  csrf: string;
  answer: Answer;
}

function as(answer: Answer): SignedInAs {
  assert.equal(answer.status, 200, answer.text);
  const cookie = String(answer.headers['set-cookie']).split(';')[0]!;
  return { cookie, csrf: answer.body.csrf, answer };
}

const signIn = async (name: string, password = PASSWORD, headers: Record<string, string> = {}) =>
  await api.send(null, 'POST', '/api/v1/session', { name, password }, headers);
const get = async ({ cookie }: { cookie: string }, url: string) =>
  await api.send(null, 'GET', url, undefined, { cookie });

describe('signing in', () => {
  test('a link sets a password once and signs in; the cookie is closed to scripts and other sites', async () => {
    const made = await api.send('admin', 'POST', '/api/v1/people', { name: 'ann', role: 'operator' });
    assert.match(made.body.link.url, /^http:\/\/localhost(:\d+)?\/welcome#ann\/[\w-]{43}$/);
    const { answer, cookie } = await welcomed(made.body.link.url);
    assert.match(
      String(answer.headers['set-cookie']),
      /^autocode_session=[\w-]{43}; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    const me = await get({ cookie }, '/api/v1/session');
    assert.deepEqual(me.body.user, {
      name: 'ann',
      role: 'operator',
      projects: {},
      person: true,
      password: true,
    });
    const code = made.body.link.url.split('/').at(-1);
    const again = await api.send(null, 'POST', '/api/v1/welcomes', { code, password: PASSWORD });
    assert.equal(again.status, 401);
    assert.equal((await signIn('ann')).status, 200);
  });

  test('a wrong password, an unknown name and a disabled person are refused with the same words', async () => {
    await person('bob');
    await person('off');
    await api.send('admin', 'PATCH', '/api/v1/people/off', { disabled: true });
    for (const [name, password] of [
      ['bob', 'wrong'],
      ['nobody-here', PASSWORD],
      ['off', PASSWORD],
      ['', ''],
    ]) {
      const { status, body } = await signIn(name!, password);
      assert.equal(status, 401);
      assert.deepEqual({ code: body.error.code, message: body.error.message }, WRONG, name);
    }
  });

  test('guessing is slowed down, for a name that is nobody too, and the right password has to wait as well', async () => {
    await person('carl');
    for (const name of ['carl', 'carl-is-nobody']) {
      const statuses: number[] = [];
      let refused = await signIn(name, 'guess');
      for (; refused.status === 401; refused = await signIn(name, 'guess')) statuses.push(refused.status);
      assert.ok(statuses.length >= 5, 'some mistakes are free');
      assert.equal(refused.status, 429);
      assert.equal(
        (await api.db.pool.query(`update sign_in_attempt set closed_until = now() + interval '1 hour'`))
          .rowCount! > 0,
        true,
      );
      assert.equal((await signIn(name)).status, 429);
      await api.db.pool.query('delete from sign_in_attempt where attempts > 5');
      assert.ok(Number(refused.headers['retry-after']) >= 1);
    }
  });

  test('a session that was put into the browser before signing in is not the one after it', async () => {
    const eve = await person('eve');
    const dan = await person('dan');
    const made = as(await signIn('dan', PASSWORD, { cookie: eve.cookie }));
    assert.notEqual(made.cookie, eve.cookie);
    assert.equal((await get(eve, '/api/v1/session')).status, 401, 'what was there has ended');
    assert.equal((await get(dan, '/api/v1/session')).status, 200);
    const invented = `autocode_session=${'A'.repeat(43)}`;
    assert.notEqual(as(await signIn('dan', PASSWORD, { cookie: invented })).cookie, invented);
    const tossed = `${made.cookie}; autocode_session=${'A'.repeat(43)}`;
    assert.equal((await get({ cookie: tossed }, '/api/v1/session')).status, 401);
  });
});

describe('a session', () => {
  test('changes nothing without its own csrf text, nor for the page of another site', async () => {
    const [fay, guy] = [await person('fay', { role: 'admin' }), await person('guy')];
    const attempt = async (headers: Record<string, string>) =>
      (
        await api.send(
          null,
          'POST',
          '/api/v1/own-tokens',
          { name: 't', role: 'viewer' },
          { cookie: fay.cookie, ...headers },
        )
      ).status;
    assert.equal(await attempt({}), 403);
    assert.equal(await attempt({ 'x-csrf-token': guy.csrf }), 403);
    assert.equal(await attempt({ 'x-csrf-token': fay.csrf, 'sec-fetch-site': 'cross-site' }), 403);
    assert.equal(await attempt({ 'x-csrf-token': fay.csrf, 'sec-fetch-site': 'same-site' }), 403);
    assert.equal(await attempt({ 'x-csrf-token': fay.csrf, origin: 'https://evil.example' }), 403);
    assert.equal(await attempt({ 'x-csrf-token': fay.csrf, origin: 'null' }), 403);
    assert.equal(await attempt({ 'x-csrf-token': fay.csrf, 'sec-fetch-site': 'same-origin' }), 201);
    const elsewhere = await signIn('fay', PASSWORD, { 'sec-fetch-site': 'cross-site' });
    assert.equal(elsewhere.status, 403, 'nobody is signed in as somebody else by a foreign page');
  });

  test('ends with its person, with a new password, when it is not used, and by a word', async () => {
    const first = await person('hal');
    const second = as(await signIn('hal'));
    const changed = await api.send(
      null,
      'PUT',
      '/api/v1/own-password',
      { current: PASSWORD, password: 'another long one' },
      { cookie: first.cookie, 'x-csrf-token': first.csrf },
    );
    assert.equal(changed.status, 204, changed.text);
    assert.equal((await get(first, '/api/v1/session')).status, 200);
    assert.equal((await get(second, '/api/v1/session')).status, 401);
    const third = as(await signIn('hal', 'another long one'));
    await api.db.pool.query(
      `update session set last_seen_at = now() - interval '721 minutes'
      where person = (select id from person where name = 'hal') and id = $1`,
      [third.answer.body.session],
    );
    assert.equal((await get(third, '/api/v1/session')).status, 401);
    const listed = await get(first, '/api/v1/own-sessions');
    assert.deepEqual(
      listed.body.map(({ how, current }: { how: string; current: boolean }) => [how, current]),
      [['link', true]],
    );
    await api.send('admin', 'PATCH', '/api/v1/people/hal', { disabled: true });
    assert.equal((await get(first, '/api/v1/session')).status, 401);
    await api.send('admin', 'PATCH', '/api/v1/people/hal', { disabled: false });
    assert.equal((await get(first, '/api/v1/session')).status, 401, 'it stays ended');
  });

  test('is signed out of, and ended by its number, by an admin or its person alone', async () => {
    const [ida, jim] = [await person('ida'), await person('jim')];
    const change = ({ cookie, csrf }: SignedInAs) => ({ cookie, 'x-csrf-token': csrf });
    const idas = ida.answer.body.session;
    const foreign = await api.send(null, 'DELETE', `/api/v1/own-sessions/${idas}`, undefined, change(jim));
    assert.equal(foreign.status, 404);
    assert.equal((await api.send('operator', 'DELETE', `/api/v1/sessions/${idas}`)).status, 403);
    assert.equal((await api.send('admin', 'DELETE', `/api/v1/sessions/${idas}`)).status, 204);
    assert.equal((await get(ida, '/api/v1/session')).status, 401);
    const out = await api.send(null, 'DELETE', '/api/v1/session', undefined, change(jim));
    assert.match(String(out.headers['set-cookie']), /^autocode_session=; Max-Age=0/);
    assert.equal((await get(jim, '/api/v1/session')).status, 401);
  });

  test("a person's token opens no more than the person, and ends with them", async () => {
    const kim = await person('kim', { role: 'viewer' });
    const made = await api.send(
      null,
      'POST',
      '/api/v1/own-tokens',
      { name: 'script', role: 'admin' },
      { cookie: kim.cookie, 'x-csrf-token': kim.csrf },
    );
    const headers = { authorization: `Bearer ${made.body.token}` };
    assert.equal((await api.send(null, 'GET', '/api/v1/tasks', undefined, headers)).status, 200);
    assert.equal((await api.send(null, 'GET', '/api/v1/people', undefined, headers)).status, 403);
    await api.send('admin', 'PATCH', '/api/v1/people/kim', { role: 'admin' });
    assert.equal((await api.send(null, 'GET', '/api/v1/people', undefined, headers)).status, 200);
    await api.send('admin', 'PATCH', '/api/v1/people/kim', { disabled: true });
    assert.equal((await api.send(null, 'GET', '/api/v1/tasks', undefined, headers)).status, 401);
  });
});

test('behind a proxy that is trusted the cookie is for TLS alone, and the address is that of the browser', async () => {
  const from = {
    'x-forwarded-proto': 'https',
    'x-forwarded-for': '203.0.113.9',
    'x-forwarded-host': 'ac.example',
  };
  await using trusting = await testApi(['api.trustedProxies=["127.0.0.0/8"]']);
  for (const [each, trusted] of [
    [api, false],
    [trusting, true],
  ] as const) {
    const made = await each.send('admin', 'POST', '/api/v1/people', { name: 'lea', role: 'viewer' }, from);
    const { url } = made.body.link;
    assert.match(url, trusted ? /^https:\/\/ac\.example\/welcome#/ : /^http:\/\/localhost/);
    const body = { code: url.split('/').at(-1), password: PASSWORD };
    const answer = await each.send(null, 'POST', '/api/v1/welcomes', body, from);
    const set = String(answer.headers['set-cookie']);
    assert.match(set, trusted ? /^__Host-autocode_session=.*; Secure/ : /^autocode_session=/);
    const cookie = set.split(';')[0]!;
    const { body: sessions } = await each.send(null, 'GET', '/api/v1/own-sessions', undefined, {
      ...from,
      cookie,
    });
    assert.equal(sessions[0].address, trusted ? '203.0.113.9' : '127.0.0.1');
    const plain = cookie.replace('__Host-', '');
    const tossed = await each.send(null, 'GET', '/api/v1/session', undefined, { ...from, cookie: plain });
    assert.equal(tossed.status, trusted ? 401 : 200, 'over TLS a cookie without the prefix is none');
  }
});
