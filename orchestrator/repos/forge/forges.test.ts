import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startFakeGitHub } from '../../../test/support/fake-github.ts';
import { testDatabase } from '../../../test/support/database.ts';
import type { ForgeSettings } from '../../config/schema.ts';
import { fileSecrets } from '../../secrets/file.ts';
import { openForges } from './forges.ts';

async function rigged(configured: ForgeSettings[] = []) {
  const fake = await startFakeGitHub();
  const db = await testDatabase();
  const dir = await mkdtemp(join(tmpdir(), 'autocode-forges-'));
  const secrets = fileSecrets(dir);
  await fake.addRepository('acme/shop');
  return {
    fake,
    origin: `${fake.url}/acme/shop.git`,
    name: new URL(fake.url).host.replace(':', '-'),
    secrets,
    db: db.pool,
    forges: openForges({ db: db.pool, secrets, configured }),
    registered: async () =>
      (await db.pool.query('select name, kind, url, app_id from forge order by name')).rows as unknown[],
    async [Symbol.asyncDispose]() {
      await rm(dir, { recursive: true });
      await db[Symbol.asyncDispose]();
      await fake[Symbol.asyncDispose]();
    },
  };
}

/** A server that answers everything so. */
async function answering(status: number) {
  const server = http.createServer((_request, response) => response.writeHead(status).end('hello'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, [Symbol.dispose]: () => void server.close() };
}

test('a forge is registered with its first repository, its kind found out without the token', async () => {
  await using rig = await rigged();
  const { fake, forges, name, origin } = rig;
  await assert.rejects(forges.choose(origin, {}), {
    code: 'ERR_INVALID_INPUT',
    remedy: /--forge-token-file/,
  });
  assert.equal(await forges.choose(origin, { token: fake.token }), name);
  assert.deepEqual(await rig.registered(), [{ name, kind: 'github', url: fake.url, app_id: null }]);
  assert.equal(await forges.choose(`${fake.url}/acme/other`, undefined), name);
  assert.equal(await forges.choose('https://example.com/acme/shop', undefined), 'local');
  await forges.check({ origin, forge: name });
  const git = await forges.credentials(origin);
  assert.equal(git?.url, `${fake.url}/`);
  const basic = Buffer.from(git.header.replace('Authorization: Basic ', ''), 'base64').toString();
  assert.equal(basic, `x-access-token:${fake.token}`);
});

test('by ssh a public forge is known by its host', async () => {
  await using rig = await rigged();
  assert.equal(await rig.forges.choose('git@github.com:acme/shop.git', { token: 't' }), 'github.com');
  const known = { name: 'github.com', kind: 'github', url: 'https://github.com', app_id: null };
  assert.deepEqual(await rig.registered(), [known]);
  const elsewhere = rig.forges.choose('git@git.example.com:acme/shop.git', { token: 't' });
  await assert.rejects(elsewhere, { code: 'ERR_INVALID_INPUT', remedy: /--forge-url/ });
});

test('what is no forge, does not answer, or is of another kind is told before anything is kept', async () => {
  await using rig = await rigged();
  using page = await answering(200);
  await assert.rejects(rig.forges.choose(`${page.url}/acme/shop`, { token: 't' }), {
    code: 'ERR_INVALID_INPUT',
    message: /no forge that could be recognised/,
    remedy: /--forge-kind \(gitea, github, gitlab\)/,
  });
  const gone = `${page.url}/acme/shop`;
  page[Symbol.dispose]();
  await assert.rejects(rig.forges.choose(gone, { token: 't' }), { code: 'ERR_FORGE_UNAVAILABLE' });
  assert.deepEqual(await rig.registered(), []);
  await rig.forges.choose(rig.origin, { token: rig.fake.token });
  await assert.rejects(rig.forges.choose(rig.origin, { kind: 'gitea' }), { code: 'ERR_CONFLICT' });
  await assert.rejects(rig.forges.choose(`${rig.fake.url}/acme/a/b`, { name: rig.name }), {
    code: 'ERR_INVALID_INPUT',
    message: /is no repository of the forge/,
  });
});

test('a forge goes from token to App and back; only GitHub has Apps, and those of the configuration are there', async () => {
  await using rig = await rigged([
    { name: 'work', kind: 'github', url: 'https://git.example.com' },
    { name: 'tea', kind: 'gitea', url: 'https://tea.example.com' },
  ]);
  const { fake, forges, name, origin } = rig;
  const user = async () =>
    Buffer.from((await forges.credentials(origin))!.header.split(' ')[2]!, 'base64')
      .toString()
      .split(':')[1]!;
  await forges.choose(origin, { token: fake.token });
  const { appId, privateKey } = fake.addApp('acme');
  await forges.choose(origin, { token: privateKey, appId });
  assert.match(await user(), /^ghs_/);
  await forges.choose(origin, { token: fake.token });
  assert.equal(await user(), fake.token);
  assert.equal((await rig.registered()).length, 1);
  await assert.rejects(forges.choose('https://tea.example.com/a/b', { token: privateKey, appId }), {
    code: 'ERR_INVALID_INPUT',
    message: /gitea, which has no Apps/,
  });
  await assert.rejects(forges.choose('https://git.example.com/a/b', { token: privateKey, appId }), {
    code: 'ERR_CONFLICT',
    remedy: /Write the id there/,
  });
  assert.equal(await rig.secrets.get('forge-work'), undefined);
  assert.equal(await forges.webhookSecret('gitlab', name), undefined);
});

test('an issue is found by its address, and repositories are listed by the name of their forge', async () => {
  await using rig = await rigged();
  const { fake, forges, name, origin } = rig;
  await forges.choose(origin, { token: fake.token });
  const { number } = fake.addIssue('acme/shop', { title: 'Sums are wrong' });
  const { title, forge, path } = await forges.issue(`${fake.url}/acme/shop/issues/${number}`);
  assert.deepEqual([title, forge, path], ['Sums are wrong', name, 'acme/shop']);
  await assert.rejects(forges.issue('https://example.com/acme/shop/issues/1'), { code: 'ERR_NOT_FOUND' });
  const listed = await Array.fromAsync(forges.list(name, {}));
  assert.deepEqual(
    listed.map((each) => each.cloneUrl),
    [origin],
  );
  await assert.rejects(Array.fromAsync(forges.list('other', {})), { code: 'ERR_NOT_FOUND' });
});

test('a forge is removed with its secrets once nothing uses it; git by its token alone is a use too', async () => {
  await using rig = await rigged([{ name: 'work', kind: 'gitea', url: 'https://git.example.com' }]);
  const { db, fake, forges, name, origin, secrets } = rig;
  const choice = { token: fake.token, webhookSecret: 'hook' };
  await forges.choose(origin, choice);
  const { rows } = await db.query(`insert into project (name) values ('shop'), ('old') returning id`);
  const [shop, old] = rows.map(({ id }) => id as number);
  await db.query(
    `insert into repository (project, name, origin, hosted, default_branch, forge) values
      ($1, 'shop', $3, false, 'main', 'local'), ($2, 'old', $3, false, 'main', $4)`,
    [shop, old, origin, name],
  );
  await db.query(
    `insert into intake_source (name, kind, trust, settings, created_by) values ('issues', 'forge', '{}', jsonb_build_object('forge', $1::text), 'me')`,
    [name],
  );
  assert.deepEqual((await forges.use(name)).projects, ['old', 'shop']);
  await db.query('update project set archived_at = now() where id = $1', [old]);
  await assert.rejects(forges.remove(name), {
    code: 'ERR_STATE',
    message: `The forge ${name} cannot be removed: it is used by project shop, source issues.`,
    remedy: /^Take the repositories out .*; remove the sources/,
  });
  await assert.rejects(forges.remove('work'), { code: 'ERR_STATE', message: /in the configuration/ });
  await assert.rejects(forges.remove('other'), { code: 'ERR_NOT_FOUND' });
  assert.equal((await secrets.get(`forge-${name}`))?.value, fake.token);

  // Made at the same time: whoever holds it is waited for, and whoever comes later finds it gone.
  await db.query(`delete from intake_source; update project set archived_at = now()`);
  const client = await db.connect();
  await client.query('begin');
  await client.query('update project set archived_at = null where id = $1', [shop]);
  await forges.hold(client, name);
  const refused = assert.rejects(forges.remove(name), { code: 'ERR_STATE', message: /project shop\.$/ });
  await client.query('commit');
  client.release();
  await refused;

  await db.query('update repository set removed_at = now()');
  assert.deepEqual((await forges.remove(name)).secrets, [`forge-${name}`, `webhook-${name}`]);
  assert.deepEqual([await secrets.list(), await rig.registered()], [[], []]);
  await assert.rejects(forges.hold(db, name), { code: 'ERR_CONFLICT' });
  await assert.rejects(forges.remove(name), { code: 'ERR_NOT_FOUND' });
  assert.equal(await forges.webhookSecret('github', name), undefined);
  assert.equal(await forges.choose(origin, choice), name);
});
