import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { freePort } from '../../../test/support/ports.ts';
import { testBrowser, testProvider, type TestProvider } from '../../../test/support/oidc-provider.ts';
import { testApi, type TestApi } from '../testing.ts';

let provider: TestProvider;
let api: TestApi;
let url: string;

const flags = (oidc: object) =>
  Object.entries(oidc).map(
    ([key, value]) => `signIn.oidc.${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );

before(async () => {
  provider = await testProvider({ sub: 'u1' });
  const oidc = {
    name: 'Example',
    issuer: provider.issuer,
    clientId: 'autocode',
    clientSecret: 'oidc-client',
    scopes: ['openid', 'profile', 'email', 'groups'],
    roles: [
      { group: 'everybody', role: 'viewer' },
      { group: 'shop', role: 'operator', project: 'shop' },
      { group: 'leads', role: 'admin' },
      { group: 'gone', role: 'admin', project: 'none' },
    ],
  };
  api = await testApi(flags(oidc));
  await api.app.listen({ host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${(api.app.server.address() as { port: number }).port}`;
  await api.send('admin', 'PUT', '/api/v1/secrets/oidc-client', { value: 'client secret' });
  await api.db.pool.query(`insert into project (name) values ('shop')`);
  provider.serve({ id: 'autocode', secret: 'client secret', redirectUri: `${url}/api/v1/oidc/callback` });
});
after(async () => {
  await api?.[Symbol.asyncDispose]();
  await provider?.stop();
});
beforeEach(() => {
  provider.account = { sub: 'u1', preferred_username: 'Ann@example.org', groups: ['everybody', 'shop'] };
});

const begin = (returnTo = '/board?state=queued') =>
  `${url}/api/v1/oidc/authorization?returnTo=${encodeURIComponent(returnTo)}`;
const callback = /\/api\/v1\/oidc\/callback\?/;
const me = async (browser: ReturnType<typeof testBrowser>) => {
  const answer = await browser.go(`${url}/api/v1/session`);
  return answer.ok ? ((await answer.json()) as { user: object }).user : answer.status;
};
const refused = async () =>
  (await api.send('admin', 'GET', '/api/v1/audit-records?limit=1')).body.map(
    (each: { route: string; code: string; actor: unknown }) => [each.route, each.code, each.actor],
  );

test('signs in by the provider, with the roles of the groups, which follow at each sign-in', async () => {
  assert.equal((await api.send(null, 'GET', '/api/v1/sign-in-ways')).body.provider, 'Example');
  const browser = testBrowser();
  const at = await browser.follow(begin(), /\/board/);
  assert.equal(at, `${url}/board?state=queued`);
  const ann = { name: 'ann', role: 'viewer', projects: { shop: 'operator' }, person: true, password: false };
  assert.deepEqual(await me(browser), ann);
  provider.account.groups = ['leads'];
  const other = testBrowser();
  await other.follow(begin('/'), new RegExp(`^${url}/$`));
  assert.deepEqual(await me(other), { ...ann, role: 'admin', projects: {} });
  assert.deepEqual(await me(browser), { ...ann, role: 'admin', projects: {} }, 'everywhere');
  const link = await api.send('admin', 'POST', '/api/v1/people/ann/links');
  assert.equal(link.body.error.code, 'ERR_STATE', 'a password would go round the provider');
});

test('an address that the provider has verified is taken over and follows it; another one is not', async () => {
  const signIn = async (account: object) => {
    Object.assign(provider.account, account);
    await testBrowser().follow(begin('/'), new RegExp(`^${url}/$`));
    const { email, emailConfirmed } = (await api.send('admin', 'GET', '/api/v1/people/ann')).body;
    assert.equal(emailConfirmed, email !== null);
    return email;
  };
  assert.equal(await signIn({ email: 'eve@example.org', email_verified: false }), null);
  assert.equal(await signIn({ email: 'ann@example.org', email_verified: true }), 'ann@example.org');
  assert.equal(await signIn({ email: 'ann@b.example', email_verified: true }), 'ann@b.example');
  const own = await api.send('admin', 'PATCH', '/api/v1/people/ann', { email: 'me@example.org' });
  assert.equal(own.body.error.code, 'ERR_STATE');
});

test('who is in no group that may does not get in, and loses what was open', async () => {
  const browser = testBrowser();
  await browser.follow(begin('/'), new RegExp(`^${url}/$`));
  provider.account.groups = ['others'];
  const at = await testBrowser().follow(begin(), /problem=/);
  assert.equal(new URL(at).searchParams.get('problem'), 'no-role');
  assert.equal(await me(browser), 401);
  provider.account = { sub: 'stranger', preferred_username: 'eve', groups: [] };
  await testBrowser().follow(begin(), /problem=no-role/);
  assert.deepEqual(await refused(), [['/api/v1/oidc/callback', 'ERR_FORBIDDEN', null]]);
  const people = (await api.send('admin', 'GET', '/api/v1/people')).body;
  assert.ok(!people.some(({ name }: { name: string }) => name === 'eve'));
});

test('a name that somebody else has is not taken over', async () => {
  await api.send('admin', 'POST', '/api/v1/people', { name: 'bob', role: 'admin' });
  provider.account = { sub: 'u2', preferred_username: 'bob', groups: ['everybody'] };
  const browser = testBrowser();
  await browser.follow(begin('/'), new RegExp(`^${url}/$`));
  const user = (await me(browser)) as { name: string; role: string };
  assert.deepEqual([user.name, user.role], ['bob-2', 'viewer']);
});

test('a disabled person stays out', async () => {
  provider.account = { sub: 'u3', preferred_username: 'cid', groups: ['everybody'] };
  const browser = testBrowser();
  await browser.follow(begin('/'), new RegExp(`^${url}/$`));
  await api.send('admin', 'PATCH', '/api/v1/people/cid', { disabled: true });
  assert.equal(await me(browser), 401);
  await testBrowser().follow(begin(), /problem=no-role/);
});

test('a callback is good once, in the browser that began, in its time, with its nonce', async () => {
  const browser = testBrowser();
  const good = await browser.follow(begin(), callback);
  const problem = async (with_: ReturnType<typeof testBrowser>, at: string) =>
    new URL((await with_.go(at)).headers.get('location')!).searchParams.get('problem');
  assert.equal(await problem(testBrowser(), good), 'sign-in-over', 'in another browser');
  assert.match((await browser.go(good)).headers.get('location')!, /\/board/);
  assert.equal(await problem(browser, good), 'sign-in-over', 'played again');

  const late = await browser.follow(begin(), callback);
  await api.db.pool.query(`update oidc_attempt set expires_at = now()`);
  assert.equal(await problem(browser, late), 'sign-in-over', 'too late');

  const swapped = await browser.follow(begin(), callback);
  await api.db.pool.query(`update oidc_attempt set nonce = 'of another'`);
  assert.equal(await problem(browser, swapped), 'sign-in-over', 'the token of another sign-in');

  const forged = await browser.follow(begin(), callback);
  const code = new URL(forged);
  code.searchParams.set('code', 'invented');
  assert.equal(await problem(browser, code.href), 'sign-in-over', 'an invented code');
  assert.equal(await problem(browser, `${url}/api/v1/oidc/callback`), 'sign-in-over', 'nothing at all');
});

test('leads on within the page alone', async () => {
  for (const elsewhere of ['https://evil.example/', '//evil.example', '/\\evil.example', '/a b', 'board'])
    assert.equal(await testBrowser().follow(begin(elsewhere), new RegExp(`^${url}/$`)), `${url}/`);
});

test('a provider that is away is told, and passwords go on', async () => {
  const closed = await freePort();
  const oidc = { issuer: `http://127.0.0.1:${closed}`, clientId: 'autocode' };
  await using alone = await testApi(flags(oidc));
  const at = await alone.send(null, 'GET', '/api/v1/oidc/authorization');
  assert.match(String(at.headers.location), /\/\?problem=provider-away$/);
  const made = await alone.send('admin', 'POST', '/api/v1/people', { name: 'ann', role: 'viewer' });
  const welcome = { code: made.body.link.url.split('/').at(-1), password: 'long enough to be one' };
  assert.equal((await alone.send(null, 'POST', '/api/v1/welcomes', welcome)).status, 200);
});
