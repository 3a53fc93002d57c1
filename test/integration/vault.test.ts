// Vault as an installation has it, from `secret setup` to a daemon that keeps its secrets there: the real CLI, the real daemon,
// a real OpenBao over TLS.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Status } from '../../protocol/status.ts';
import { runCli } from '../../orchestrator/cli/testing/run-cli.ts';
import { fileSecrets } from '../../orchestrator/secrets/file.ts';
import { eventually, startAppliance } from '../e2e/appliance.ts';
import { startOpenBao, type OpenBao } from '../support/openbao.ts';

const ENTRY = join(import.meta.dirname, '../../orchestrator/cli/main.ts');

function installation(t: TestContext, vault: OpenBao, address = vault.address) {
  const dataDir = mkdtempSync(join(tmpdir(), 'autocode-vault-'));
  t.after(() => rmSync(dataDir, { recursive: true }));
  const set = [
    `dataDir=${dataDir}`,
    'secrets.kind=vault',
    `secrets.vault.address=${address}`,
    `secrets.vault.caFile=${vault.caFile}`,
  ];
  const flags = set.flatMap((each) => ['--set', each]);
  const auditFile = join(vault.directory, 'audit.log');
  const setup = ['secret', 'setup', '--shares', '3', '--threshold', '2', '--audit-file', auditFile, ...flags];
  const kept = (name: string) => join(dataDir, 'config/vault', name);
  return { dataDir, set, flags, setup, kept };
}

/** The server behind an address that lets each answer through, or ends the process that asked before it has it. */
async function cutter(t: TestContext, vault: OpenBao) {
  const pem = (name: string) => readFileSync(join(vault.directory, name));
  let cut = { at: '', kill: () => {} };
  const server = createServer({ key: pem('server.key'), cert: pem('server.crt') }, (asked, answer) => {
    const { method, headers } = asked;
    const onward = request(
      new URL(asked.url!, vault.address),
      { method, headers, ca: pem('ca.crt') },
      (got) => {
        const chunks: Buffer[] = [];
        got.on('data', (chunk: Buffer) => chunks.push(chunk));
        got.on('end', () => {
          if (cut.at !== '' && `${method} ${asked.url}`.endsWith(cut.at)) return cut.kill();
          answer.writeHead(got.statusCode!, got.headers).end(Buffer.concat(chunks));
        });
      },
    );
    asked.pipe(onward);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    address: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Runs the CLI and kills it when Vault has done what is asked for at `at`, before the answer. */
    async killedAt(at: string, words: string[]) {
      const child = spawn(process.execPath, [ENTRY, ...words], {
        env: { PATH: process.env.PATH },
        stdio: 'ignore',
      });
      cut = { at, kill: () => child.kill('SIGKILL') };
      const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
      cut = { at: '', kill: () => {} };
      assert.equal(signal, 'SIGKILL', `it was cut off at ${at}`);
    },
  };
}

test('a setup shows the key shares once, revokes the root token, and has nothing to do the second time', async (t) => {
  await using vault = await startOpenBao();
  const { setup, kept, flags, dataDir } = installation(t, vault);
  const bad = await runCli([...setup, '--threshold', '4']);
  assert.equal(bad.code, 2);
  const first = await runCli(setup);
  assert.equal(first.code, 0, first.stderr);
  const shares = [...first.stdout.matchAll(/^ {2}\d {2}(\S{40,})$/gm)].map(([, share]) => share!);
  assert.equal(shares.length, 3);
  assert.match(first.stdout, /is ready: initialised, unsealed, audit device .*, root token revoked/);
  assert.ok(!existsSync(kept('setup.json')));
  for (const file of ['role-id', 'secret-id']) assert.equal(statSync(kept(file)).mode & 0o777, 0o600, file);

  const second = await runCli(setup);
  assert.match(second.stdout, /is set up: nothing was to be done/);
  assert.doesNotMatch(second.stdout, /key shares/);

  const secretId = readFileSync(kept('secret-id'), 'utf8');
  const rotated = await runCli(['secret', 'setup', '--rotate', ...flags]);
  assert.equal(rotated.code, 0, rotated.stderr);
  assert.notEqual(readFileSync(kept('secret-id'), 'utf8'), secretId);

  await vault.kill();
  assert.equal((await runCli(setup)).code, 6, 'it is away');
  await vault.start();
  const sealed = await runCli(setup);
  assert.equal(sealed.code, 6);
  assert.match(sealed.stderr, /sealed[^]*secret unseal/);
  const one = await runCli(['secret', 'unseal', ...flags], { input: `${shares[0]}\n` });
  assert.match(one.stderr, /more key shares are needed/);
  const open = await runCli(['secret', 'unseal', ...flags], { input: `${shares[2]}\n` });
  assert.match(open.stdout, /is unsealed/);

  // Another installation has no credentials for it.
  const other = installation(t, vault);
  const foreign = await runCli(other.setup);
  assert.equal(foreign.code, 5);
  assert.match(foreign.stderr, /initialised by somebody else[^]*VAULT_TOKEN/);
  assert.ok(!existsSync(join(dataDir, 'config/vault/setup.json')));
});

test('a setup that is killed between its steps is finished by the next one', async (t) => {
  await using vault = await startOpenBao();
  const proxy = await cutter(t, vault);
  const { setup, kept } = installation(t, vault, proxy.address);
  await proxy.killedAt('GET /v1/sys/health', setup);
  const steps = [
    'PUT /v1/sys/unseal',
    '/sys/mounts/secret',
    '/role/autocode-orchestrator/secret-id',
    '/revoke-self',
  ];
  // The first of these has initialised it; what it was told is kept.
  for (const step of steps) await proxy.killedAt(step, setup);
  assert.ok(existsSync(kept('setup.json')));
  const last = await runCli([...setup, '--json']);
  assert.equal(last.code, 0, last.stderr);
  const { shares, threshold } = JSON.parse(last.stdout) as { shares: string[]; threshold: number };
  assert.deepEqual([shares.length, threshold], [3, 2]);
  assert.ok(!existsSync(kept('setup.json')));
  assert.match((await runCli(setup)).stdout, /nothing was to be done/);
});

test('a setup that is killed while Vault is initialised says that nobody has its keys, and how to begin anew', async (t) => {
  await using vault = await startOpenBao();
  const proxy = await cutter(t, vault);
  const { setup } = installation(t, vault, proxy.address);
  await proxy.killedAt('/v1/sys/init', setup);
  const { code, stderr } = await runCli(setup);
  assert.equal(code, 5);
  assert.match(stderr, /nobody has its keys[^]*empty its storage/);
});

test('with the token of an operator a Vault that is in use gets what Autocode needs', async (t) => {
  await using vault = await startOpenBao();
  const { root } = await vault.initialise();
  const { setup, flags } = installation(t, vault);
  assert.equal((await runCli(setup)).code, 5);
  const env = { VAULT_TOKEN: root, VAULT_SKIP_VERIFY: '1', DEBUG: '*', VAULT_ADDR: 'https://192.0.2.1' };
  const done = await runCli(setup, { env });
  assert.equal(done.code, 0, done.stderr);
  assert.ok(!`${done.stdout}${done.stderr}`.includes(root), 'what DEBUG asks for is not printed');
  assert.match((await runCli(setup)).stdout, /nothing was to be done/);
  // The operator's own policy is enough to do it again.
  const made = await vault.call('POST', 'auth/token/create', {
    token: root,
    body: { policies: ['autocode-operator'] },
  });
  const again = await runCli(setup, { env: { VAULT_TOKEN: made.body.auth.client_token } });
  assert.equal(again.code, 0, again.stderr);
  const wrong = await runCli(['secret', 'move', ...flags], { env: { VAULT_TOKEN: 'nobody' } });
  assert.equal(wrong.code, 0, 'there is nothing to move');
});

test('a daemon starts and serves while Vault is sealed, and has its secrets as soon as it is open', async (t) => {
  await using vault = await startOpenBao();
  const { root, key } = await vault.initialise();
  const { set, setup, dataDir } = installation(t, vault);
  assert.equal((await runCli(setup, { env: { VAULT_TOKEN: root } })).code, 0);
  await vault.call('POST', 'sys/seal', { token: root });
  await using appliance = await startAppliance(
    ...set.filter((each) => !each.startsWith('dataDir')),
    `secrets.vault.roleIdFile=${join(dataDir, 'config/vault/role-id')}`,
    `secrets.vault.secretIdFile=${join(dataDir, 'config/vault/secret-id')}`,
    'worker.local=false',
  );
  const part = async () =>
    (await appliance.api<Status>('GET', '/status')).parts.find(({ name }) => name === 'vault');
  assert.deepEqual([(await part())?.state, /sealed/.test((await part())!.detail)], ['down', true]);
  await assert.rejects(appliance.autocode('secret', 'list'), /is sealed/);
  await assert.rejects(appliance.autocode('doctor'), ({ stdout }) => /✗ secrets .*is sealed/.test(stdout));
  const waiting = async () =>
    (await appliance.api<Status>('GET', '/status')).parts.some(({ name }) => name === 'secrets');
  await eventually(async () => (await waiting()) || undefined, 'tasks to wait for secrets');
  await vault.unseal(key);
  await eventually(async () => !(await waiting()) || undefined, 'tasks to wait no more');
  assert.equal((await part())?.state, 'ok');
  await appliance.api('PUT', '/secrets/payments%2Fcard_primary', { value: 'Password' });
  assert.match(await appliance.autocode('secret', 'get', 'payments/card_primary'), /version +1[^]*••••/);
  assert.equal(await appliance.autocode('secret', 'get', 'payments/card_primary', '--reveal'), 'Password\n');
  assert.match(await appliance.autocode('events', '--kind', 'secret.revealed'), /payments\/card_primary/);
  const { body } = await vault.call('GET', 'secret/data/payments/card_primary', { token: root });
  assert.equal(body.data.data.value, 'Password');
  const env = join(dataDir, '.env');
  writeFileSync(env, 'API_KEY="k-0815-x"\nTOKEN=t-0815-y\n');
  assert.match(
    await appliance.autocode('secret', 'import', env, '--prefix', 'shop/'),
    /shop\/TOKEN +kept, version 1/,
  );
  assert.match(
    await appliance.autocode('secret', 'import', env, '--prefix', 'shop/'),
    /shop\/TOKEN +left: it is there/,
  );
  await appliance.autocode('secret', 'rotate', 'shop/TOKEN', '--generate');
  assert.match(
    await appliance.autocode('secret', 'history', 'shop/TOKEN'),
    /shop\/TOKEN +2 [^]*shop\/TOKEN +1 /,
  );
  assert.equal(await appliance.autocode('secret', 'get', 'shop/API_KEY', '--reveal'), 'k-0815-x\n');
  await appliance.autocode('secret', 'remove', 'shop/API_KEY');
  await fileSecrets(join(appliance.dataDir, 'secrets')).put('of-before', 'sealed here');
  assert.match(await appliance.autocode('secret', 'move'), /of-before +moved/);
  assert.equal(await appliance.autocode('secret', 'get', 'of-before', '--reveal'), 'sealed here\n');
  const list = await appliance.autocode('secret', 'list');
  assert.doesNotMatch(list, /shop\/API_KEY/);
  assert.match(list, /server-key/);
  assert.match(list, /payments\/card_primary/);
  assert.equal(
    (await vault.call('GET', 'secret/data/server-key', { token: root })).status,
    404,
    'its own keys stay',
  );
});
