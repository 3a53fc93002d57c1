// Against a real OpenBao over TLS.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startOpenBao, type OpenBao } from '../../test/support/openbao.ts';
import { makeAuthority, makeServerCertificate } from '../tls/certificate.ts';
import { secretsConformance } from './testing.ts';
import { vaultSecrets, type VaultSecrets } from './vault.ts';
import { provision } from './vault/provision.ts';
import { renewCredentials, unwrapCredential, wrappedWorkerCredential } from './vault/credentials.ts';
import { vaultClient, type VaultClient } from './vault/client.ts';
import { vaultSession } from './vault/session.ts';

/** A server that is ready for Autocode, with the root token kept to change what is granted. */
async function readyServer() {
  const vault = await startOpenBao();
  const { key, root } = await vault.initialise();
  const client = await vaultClient(vault);
  const asRoot: VaultClient['call'] = async (request, schema) =>
    await client.call({ ...request, token: root }, schema);
  const login = {
    address: vault.address,
    caFile: vault.caFile,
    roleIdFile: join(vault.directory, 'role-id'),
    secretIdFile: join(vault.directory, 'secret-id'),
  };
  const auditFile = join(vault.directory, 'audit.log');
  await provision(asRoot, { mount: 'secret', auditFile });
  await renewCredentials(asRoot, login);
  const opened: VaultSecrets[] = [];
  const open = (change: Partial<Parameters<typeof vaultSecrets>[0]> = {}) => {
    const secrets = vaultSecrets({ ...login, mount: 'secret', ...change });
    opened.push(secrets);
    return secrets;
  };
  const end = async () => {
    await Promise.all(opened.map(async (secrets) => await secrets.close()));
    await client.close();
    await vault[Symbol.asyncDispose]();
  };
  const setRole = async (settings: object) =>
    assert.equal(
      (await vault.call('POST', 'auth/approle/role/autocode-orchestrator', { token: root, body: settings }))
        .status,
      204,
    );
  return { vault, key, root, asRoot, client, login, auditFile, open, end, setRole };
}

secretsConformance('Vault', async () => {
  const { open, end } = await readyServer();
  return { open, end };
});

describe('Vault', () => {
  let server: Awaited<ReturnType<typeof readyServer>>;
  let vault: OpenBao;
  before(async () => {
    server = await readyServer();
    ({ vault } = server);
  });
  after(async () => await server.end());

  it('is said to be sealed or away, and what asks next after that is served, with nothing restarted', async () => {
    const secrets = server.open();
    await secrets.put('a', 'one');
    assert.equal((await secrets.get('a'))?.value, 'one');
    assert.equal((await secrets.health()).state, 'ok');

    await vault.call('POST', 'sys/seal', { token: server.root });
    assert.equal((await secrets.get('a'))?.value, 'one', 'what was read a moment ago');
    await assert.rejects(secrets.get('b'), {
      code: 'ERR_VAULT_UNAVAILABLE',
      message: /sealed/,
      remedy: /unseal/,
    });
    assert.match((await secrets.health()).detail, /is sealed/);

    await vault.kill();
    await assert.rejects(secrets.put('a', 'two'), { code: 'ERR_VAULT_UNAVAILABLE', message: /ECONNREFUSED/ });
    assert.match((await secrets.health()).detail, /does not answer/);

    await vault.start();
    await assert.rejects(secrets.get('b'), { message: /sealed/ });
    await vault.unseal(server.key);
    assert.equal((await secrets.get('a'))?.value, 'one');
    assert.equal(await secrets.put('a', 'two'), 2);
    assert.equal((await secrets.health()).state, 'ok');
  });

  /** Waits until what is written in Vault by somebody else is what is read; sooner than the cache ends by itself. */
  const untilRead = async (secrets: VaultSecrets, value: string) => {
    for (
      const giveUp = performance.now() + 20_000;
      (await secrets.get('lease'))?.value !== value;
      await delay(50)
    )
      assert.ok(performance.now() < giveUp, 'the cache does not outlive the token');
  };
  const writeLease = async (value: string) =>
    await vault.call('POST', 'secret/data/lease', { token: server.root, body: { data: { value } } });

  it('gets its token renewed, and another one when it has ended or was revoked; what was read with it goes', async (t) => {
    t.after(async () => await server.setRole({ token_ttl: '1h', token_max_ttl: '24h' }));
    await server.setRole({ token_ttl: '2s', token_max_ttl: '24h' });
    const renewed = server.open();
    await renewed.put('lease', 'one');
    const renewals = () => readFileSync(server.auditFile, 'utf8').split('auth/token/renew-self').length - 1;
    for (const giveUp = performance.now() + 30_000; renewals() < 4; await delay(50))
      assert.ok(performance.now() < giveUp, 'it is renewed again and again');
    assert.equal((await renewed.get('lease'))?.value, 'one');

    await server.setRole({ token_ttl: '1s', token_max_ttl: '1s' });
    const short = server.open();
    assert.equal((await short.get('lease'))?.value, 'one');
    await writeLease('two');
    await untilRead(short, 'two');

    await server.setRole({ token_ttl: '1h', token_max_ttl: '24h' });
    const revoked = server.open();
    assert.equal((await revoked.get('lease'))?.value, 'two');
    await writeLease('three');
    await vault.call('POST', 'sys/leases/revoke-force/auth/approle/login', { token: server.root });
    await revoked.put('other', 'x');
    assert.equal((await revoked.get('lease'))?.value, 'three');
  });

  it('says which path and which capability a policy lacks, and works as soon as it has them', async (t) => {
    const grant = async (policy: string) =>
      await vault.call('PUT', 'sys/policies/acl/autocode-orchestrator', {
        token: server.root,
        body: { policy },
      });
    const whole = readFileSync(join(import.meta.dirname, '../../vault/policies/orchestrator.hcl'), 'utf8');
    t.after(async () => await grant(whole));
    const secrets = server.open();
    await secrets.put('mine', 'x');
    await grant('path "secret/data/*" { capabilities = ["read"] }');
    assert.equal((await server.open().get('mine'))?.value, 'x');
    await assert.rejects(secrets.put('mine', 'y'), {
      code: 'ERR_VAULT_DENIED',
      message: /create and update secret\/data\/mine: it has read there/,
      remedy: /path "secret\/data\/mine"/,
    });
    await assert.rejects(secrets.history('mine'), {
      message: /read secret\/metadata\/mine: it has deny there/,
    });
    await grant(whole);
    assert.equal(await secrets.put('mine', 'y'), 2);
  });

  it('trusts the authority in the file alone, and the next call sees that another one is there', async () => {
    const other = await makeAuthority('another', new Date());
    const caFile = join(vault.directory, 'other.crt');
    writeFileSync(caFile, other.certificate);
    const secrets = server.open({ caFile });
    await assert.rejects(secrets.get('a'), {
      code: 'ERR_TLS',
      remedy: /secrets\.vault\.caFile .*other\.crt/,
    });
    assert.equal((await secrets.health()).state, 'down');
    writeFileSync(caFile, readFileSync(vault.caFile));
    assert.equal(await secrets.get('nothing'), undefined);
    await assert.rejects(server.open({ caFile: join(vault.directory, 'none.crt') }).get('a'), {
      code: 'ERR_TLS',
      message: /none\.crt/,
    });
  });

  it('is not asked without a certificate that is for its address', async () => {
    const authority = await makeAuthority('names', new Date());
    const issuer = { name: 'names', key: createPrivateKey(authority.key) };
    const wrong = await makeServerCertificate(['vault.example.com'], issuer, { now: new Date(), days: 1 });
    const { createServer } = await import('node:https');
    const impostor = createServer({ key: wrong.key, cert: wrong.certificate }, () =>
      assert.fail('it was asked'),
    );
    await new Promise<void>((resolve) => impostor.listen(0, '127.0.0.1', resolve));
    const { port } = impostor.address() as { port: number };
    const caFile = join(vault.directory, 'names.crt');
    writeFileSync(caFile, authority.certificate);
    const secrets = server.open({ address: `https://127.0.0.1:${port}`, caFile });
    await assert.rejects(secrets.get('a'), { code: 'ERR_TLS', message: /other names/ });
    impostor.close();
  });

  it('says what is the matter when no audit device can be written any more', async (t) => {
    const full = join(vault.directory, 'full');
    mkdirSync(full);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', full]);
    t.after(() => execFileSync('umount', ['--lazy', full]));
    const secrets = server.open();
    await secrets.put('audited', 'x');
    const device = { type: 'file', options: { file_path: join(full, 'audit.log') } };
    await vault.call('PUT', 'sys/audit/full', { token: server.root, body: device });
    await vault.call('DELETE', 'sys/audit/autocode', { token: server.root });
    const fill = async () => {
      for (let n = 0; n < 1000; n++) await secrets.history('audited');
    };
    await assert.rejects(fill(), { code: 'ERR_VAULT_UNAVAILABLE', remedy: /audit devices .* free the disk/ });
    assert.equal((await secrets.health()).state, 'down');
    execFileSync('mount', ['-o', 'remount,size=64m', full]);
    assert.equal((await secrets.get('audited'))?.value, 'x');
    await vault.call('PUT', 'sys/audit/autocode', {
      token: server.root,
      body: { type: 'file', options: { file_path: server.auditFile } },
    });
    await vault.call('DELETE', 'sys/audit/full', { token: server.root });
  });

  it('replaces its own secret id, and a refused login says how to get another', async () => {
    const session = vaultSession(server.login);
    const earlier = readFileSync(server.login.secretIdFile, 'utf8');
    await renewCredentials(session.call, server.login);
    assert.notEqual(readFileSync(server.login.secretIdFile, 'utf8'), earlier);
    await server.open().put('after', 'x');
    const old = join(vault.directory, 'old');
    writeFileSync(old, earlier);
    await assert.rejects(server.open({ secretIdFile: old }).get('after'), {
      code: 'ERR_VAULT_DENIED',
      remedy: /secret setup --rotate/,
    });
    await session.close();
  });

  it('works with a token from the environment too, and says when that one is not known', async () => {
    const none = join(vault.directory, 'none');
    const secrets = server.open({ token: server.root, roleIdFile: none, secretIdFile: none });
    assert.equal(await secrets.put('by-token', 'x'), 1);
    assert.equal((await secrets.health()).state, 'ok');
    await assert.rejects(server.open({ token: 's.wrong' }).get('a'), {
      code: 'ERR_VAULT_DENIED',
      message: /VAULT_TOKEN/,
    });
    await assert.rejects(server.open({ roleIdFile: none }).get('a'), {
      code: 'ERR_CONFIG',
      message: /roleIdFile/,
    });
  });

  it("hands out a worker's credential wrapped: it is opened once, and not without being wrapped", async () => {
    const session = vaultSession(server.login);
    const token = await wrappedWorkerCredential(session.call, 60);
    const secretId = await unwrapCredential(session.ask, token);
    const { body: role } = await vault.call('GET', 'auth/approle/role/autocode-worker/role-id', {
      token: server.root,
    });
    const { status, body } = await vault.call('POST', 'auth/approle/login', {
      body: { role_id: role.data.role_id, secret_id: secretId },
    });
    assert.equal(status, 200);
    assert.deepEqual(body.auth.token_policies, ['autocode-worker', 'default']);
    await assert.rejects(unwrapCredential(session.ask, token), { code: /ERR_SECRET|ERR_VAULT_DENIED/ });
    await assert.rejects(wrappedWorkerCredential(session.call, 3_600), { code: 'ERR_VAULT_DENIED' });
    await session.close();
  });

  it('reads what others have put there with fields of their own, as JSON', async () => {
    const data = { holder: 'A. Buyer', number: '4242' };
    await vault.call('POST', 'secret/data/payments/card_other', { token: server.root, body: { data } });
    assert.equal((await server.open().get('payments/card_other'))?.value, JSON.stringify(data));
  });

  it('holds no value and no token in its audit log, and every error is without them', () => {
    const log = readFileSync(server.auditFile, 'utf8');
    assert.match(log, /secret\/data\/audited/);
    assert.doesNotMatch(log, new RegExp(server.root.replaceAll('.', String.raw`\.`)));
  });
});
