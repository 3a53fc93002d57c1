// Secrets that no sandbox holds: real clients inside with placeholders, the real proxy that swaps them, and servers outside that want the
// values. What goes elsewhere is refused; what is lent ends with its run.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { transaction } from '../../orchestrator/db/connect.ts';
import { stopListening } from '../../orchestrator/db/notifications.ts';
import { readProcess } from '../../orchestrator/egress/proxy-process.ts';
import { emit } from '../../orchestrator/events/outbox.ts';
import { liveRun } from '../../orchestrator/gateway/testing/live-run.ts';
import { bind } from '../../orchestrator/secrets/bindings/store.ts';
import { fileSecrets } from '../../orchestrator/secrets/file.ts';
import { keepLeases, type LeasesOptions } from '../../orchestrator/secrets/leases/keeper.ts';
import { placeholderFor } from '../../orchestrator/secrets/leases/placeholder.ts';
import { announceWritten, listLeases } from '../../orchestrator/secrets/leases/store.ts';
import { vaultSecrets } from '../../orchestrator/secrets/vault.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { egressRig, until } from '../support/egress-rig.ts';
import { startOpenBao } from '../support/openbao.ts';
import { packageSites } from '../support/package-sites.ts';

const KEY = Buffer.alloc(32, 7);
const NPM = 'npm_4uThT0k3nOfTheReg1stry';
const FORGE = 'f0rge-Key/With+Odd=Signs';
const GIT = 'g1t-Passw0rd-0f-a-User';
const NPM_CLI = '/opt/autocode/node/node /opt/autocode/agents/npm/bin/npm-cli.js';

let database: TestDatabase;
let rig: Awaited<ReturnType<typeof egressRig>>;
let leases: Awaited<ReturnType<typeof keepLeases>>;
let run: string;
const store = mkdtempSync(path.join(tmpdir(), 'autocode-injection-'));
const secrets = fileSecrets(store);
/** What servers outside were sent: header lines and bodies. */
const seen: { url: string; authorization: string; body: string }[] = [];
let files: Map<string, Buffer>;

const secure = (place: string) => `https://localhost:${rig.servers.secure}${place}`;
const plain = (place: string) => `http://127.0.0.1:${rig.servers.plain}${place}`;

function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = request.url ?? '';
  const authorization = String(request.headers.authorization ?? request.headers['x-api-key'] ?? '');
  const entry = { url, authorization, body: '' };
  seen.push(entry);
  request.on('data', (chunk: Buffer) => (entry.body += chunk.toString('latin1'))).on('error', () => {});
  request.on('end', () => respond(request, response, url, authorization));
}

function respond(
  request: IncomingMessage,
  response: ServerResponse,
  url: string,
  authorization: string,
): void {
  const wanted = url.startsWith('/npm/')
    ? `Bearer ${NPM}`
    : url.startsWith('/git/')
      ? `Basic ${Buffer.from(`me:${GIT}`).toString('base64')}`
      : undefined;
  if (url.startsWith('/away')) return void response.writeHead(302, { location: plain('/landed') }).end();
  if (url.startsWith('/echo'))
    return void response.setHeader('x-echo', authorization).end(`you said ${authorization}, did you`);
  if (wanted !== undefined && authorization !== wanted)
    return void response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end('who are you');
  const file = files.get(url.split('?')[0]!);
  if (request.method === 'PUT') response.writeHead(201).end('{"ok":true}');
  else if (file !== undefined) response.end(file);
  else response.writeHead(url.startsWith('/npm/') || url.startsWith('/git/') ? 404 : 200).end('welcome');
}

const keeper = async (options: Partial<LeasesOptions> = {}) =>
  await keepLeases({
    db: database.pool,
    secrets,
    serverKey: KEY,
    socket: rig.places.secrets,
    failed: (error) => console.error(error),
    ...options,
  });

const bound = async (secret: string, rule: string, place: string, variable: string) =>
  await transaction(
    database.pool,
    async (tx) => await bind(tx, { secret, project: null, rule, plain: false, place, variable }, 'test'),
  );

const misuses = async () =>
  (
    await database.pool.query(
      `select data from event where kind = 'secret.misused' and run = $1 order by id`,
      [run],
    )
  ).rows as { data: { secret: string; place: string; kind: string; host: string } }[];

before(async () => {
  database = await testDatabase();
  ({ run } = await liveRun(database.pool));
  const placeholder = (secret: string) => placeholderFor(KEY, run, secret);
  const placeholders = {
    NPM_TOKEN: placeholder('npm'),
    FORGE_KEY: placeholder('forge'),
    GIT_TOKEN: placeholder('git'),
    PATH: placeholder('npm'), // of no effect
  };
  rig = await egressRig(answer, () => ({}), { run, placeholders });
  files = packageSites(rig.directory, secure(''));
  const host = `host=localhost:${rig.servers.secure}`;
  await rig.allow(`${host} address=127.0.0.1`, `host=127.0.0.1:${rig.servers.plain}`);
  await secrets.put('npm', NPM);
  await secrets.put('forge', FORGE);
  await secrets.put('git', GIT);
  await bound('npm', `allow ${host} path=/npm/**`, 'bearer', 'NPM_TOKEN');
  await bound('forge', `allow ${host} path=/api/**`, 'bearer', 'FORGE_KEY');
  await bound('forge', `allow ${host} path=/echo/**`, 'bearer', 'FORGE_KEY');
  await bound('forge', `allow ${host} path=/key/**`, 'header:X-Api-Key', 'FORGE_KEY');
  await bound('forge', `allow ${host} path=/away/**`, 'bearer', 'FORGE_KEY');
  await bound('git', `allow ${host} path=/git/**`, 'basic:me', 'GIT_TOKEN');
  leases = await keeper();
  await until('the leases', async () => {
    const lent = await listLeases(database.pool, { run, all: false, limit: 9 });
    return lent.length === 3 && lent.every(({ version }) => version !== null);
  });
  await until('the policy', async () => (await rig.inside(`curl -sf ${plain('/ready')}`)).code === 0);
});
after(async () => {
  await leases?.stop();
  await rig?.[Symbol.asyncDispose]();
  if (database !== undefined) await stopListening(database.pool);
  await database?.[Symbol.asyncDispose]();
  rmSync(store, { recursive: true, force: true });
});

test('npm publishes and reads, curl asks a forge, git clones: servers get the values, nothing inside ever holds one', async () => {
  const { output, errors } = await rig.inside(`
    mkdir /tmp/lib && cd /tmp/lib && printf '{"name":"ours","version":"1.0.0"}' > package.json
    printf 'registry=${secure('/npm/')}\n//localhost:${rig.servers.secure}/npm/:_authToken=\${NPM_TOKEN}\n' > ~/.npmrc
    ${NPM_CLI} publish --silent --no-provenance && echo published
    mkdir /tmp/app && cd /tmp/app && ${NPM_CLI} install --silent --no-audit --no-fund tiny && cat node_modules/tiny/index.js
    curl -sS -H "Authorization: Bearer $FORGE_KEY" ${secure('/api/user')}; echo
    curl -sS -H "X-Api-Key: $FORGE_KEY" ${secure('/key/user')}; echo
    curl -sSi -H "Authorization: Bearer $FORGE_KEY" ${secure('/echo/')} | grep -i -e said -e x-echo
    cd /tmp && git clone -q https://me:$GIT_TOKEN@localhost:${rig.servers.secure}/git/tiny.git && cat tiny/file`);
  const stars = '*'.repeat(FORGE.length);
  assert.equal(
    output.replaceAll('\r', ''),
    `published\nmodule.exports = "from npm";\nwelcome\nwelcome\nx-echo: Bearer ${stars}\nyou said Bearer ${stars}, did you\nfrom git\n`,
    errors,
  );
  const sent = (url: string) => seen.filter((each) => each.url === url).at(-1);
  assert.equal(sent('/npm/ours')?.authorization, `Bearer ${NPM}`);
  assert.match(sent('/npm/ours')?.body ?? '', /"name":"ours"/);
  assert.equal(sent('/api/user')?.authorization, `Bearer ${FORGE}`);
  assert.equal(sent('/key/user')?.authorization, FORGE);
  const values = [NPM, FORGE, GIT, Buffer.from(`me:${GIT}`).toString('base64')].join('\n');
  writeFileSync(path.join(rig.directory, 'values'), values);
  const { output: kept } = await rig.inside(
    `printf '%s' '${Buffer.from(values).toString('base64')}' | base64 -d > /dev/shm/values 2>/dev/null || exit 9
     cat /proc/*/environ > /workspace/environ 2>/dev/null
     grep -raFlf /dev/shm/values /workspace /tmp ~ ; grep -ac acph_ /workspace/environ`,
  );
  assert.match(kept, /^[1-9]\d*\n$/);
  assert.doesNotMatch(output, new RegExp([NPM, GIT].join('|')));
  for (const folder of [rig.places.spool, path.dirname(rig.places.log), path.dirname(rig.places.policy)])
    for (const file of readdirSync(folder, { recursive: true, withFileTypes: true }).filter((it) =>
      it.isFile(),
    )) {
      const text = readFileSync(path.join(file.parentPath, file.name), 'latin1');
      for (const value of values.split('\n')) assert.ok(!text.includes(value), file.name);
    }
  const records = await rig.records();
  assert.deepEqual(records.find(({ url }) => url === secure('/api/user'))?.injected, ['forge']);
  assert.deepEqual(await misuses(), []);
  const lent = await listLeases(database.pool, { run, all: false, limit: 10 });
  assert.deepEqual(
    lent.map(({ secret, version, trouble }) => [secret, version, trouble]),
    [
      ['forge', 1, null],
      ['git', 1, null],
      ['npm', 1, null],
    ],
  );
});

test('a placeholder or a value that goes anywhere else reaches nobody, and is told', async () => {
  const body = (content: string) =>
    `head -c 65520 /dev/zero; printf '%s' "${content}"; head -c 70000 /dev/zero`;
  const attempts: [what: string, command: string, secret: string, place: string][] = [
    [
      'another host',
      `-H "Authorization: Bearer $FORGE_KEY" ${plain('/api/x')}`,
      'forge',
      'the header Authorization',
    ],
    [
      'another path',
      `-H "Authorization: Bearer $FORGE_KEY" ${secure('/other')}`,
      'forge',
      'the header Authorization',
    ],
    ['another header', `-H "X-Mine: $FORGE_KEY" ${secure('/api/x')}`, 'forge', 'the header X-Mine'],
    ['a user', `-u you:$GIT_TOKEN ${secure('/git/x')}`, 'git', 'the header Authorization'],
    ['the query', `'${secure('/api/x?a=')}'"$FORGE_KEY"`, 'forge', 'the address'],
    ['a body', `-d "a=$FORGE_KEY" ${secure('/api/x')}`, 'forge', 'the body'],
    [
      'base64 in a body',
      `-d "$(printf 'xx%s!' "$FORGE_KEY" | base64 -w0)" ${secure('/api/x')}`,
      'forge',
      'the body',
    ],
    ['a value in a body', `-d '{"a": "${NPM}"}' ${secure('/api/x')}`, 'npm', 'the body'],
    ['a value in a header', `-H 'X-Mine: ${NPM}' ${secure('/api/x')}`, 'npm', 'the header X-Mine'],
    ['a value in a path', `${secure(`/api/${NPM}/x`)}`, 'npm', 'the address'],
    [
      'after a redirect',
      `-L --location-trusted -H "Authorization: Bearer $FORGE_KEY" ${secure('/away/')}`,
      'forge',
      'the header Authorization',
    ],
  ];
  for (const [what, command, secret, place] of attempts) {
    const told = (await misuses()).length;
    const { output } = await rig.inside(
      `curl -sS -o /tmp/answer -w '%{http_code}' ${command}; cat /tmp/answer`,
    );
    assert.match(output, place === 'the body' ? /^(502|000|403)/ : /^403.*was refused/s, what);
    const found = await until(`the event of ${what}`, async () => (await misuses())[told]?.data);
    assert.deepEqual([found.secret, found.place], [secret, place], what);
  }
  for (const stream of [`$FORGE_KEY`, GIT]) {
    const told = (await misuses()).length;
    await rig.inside(
      `(${body(stream)}) | curl -sS -H 'Transfer-Encoding: chunked' -T - ${secure('/api/up')}`,
    );
    await until('the event', async () => (await misuses())[told]);
  }
  const out = seen.map(({ url, body: sent }) => `${url} ${sent}`).join('\n');
  for (const value of [NPM, GIT, FORGE, 'acph_']) assert.ok(!out.includes(value), value);
  assert.ok(seen.every(({ authorization }) => !authorization.includes('acph_')));
  assert.ok(!seen.some(({ url, authorization }) => url === '/landed' && authorization !== ''));
  await until(
    'the records',
    async () => (await rig.records()).filter(({ misused }) => misused !== null).length >= 13,
  );
  for (const name of readdirSync(rig.places.spool))
    assert.ok(!readFileSync(path.join(rig.places.spool, name), 'utf8').includes(NPM));
});

test('a secret that is rotated in mid-run goes as the new one; the old one is still watched for', async () => {
  const ask = async () => {
    await rig.inside(`curl -sS -H "Authorization: Bearer $FORGE_KEY" ${secure('/api/rotated')}`);
    return seen.findLast(({ url }) => url === '/api/rotated')?.authorization;
  };
  assert.equal(await ask(), `Bearer ${FORGE}`);
  const next = 'the-N3xt-one-0815';
  await secrets.put('forge', next);
  await announceWritten(database.pool, 'forge');
  await until('the new value', async () => (await ask()) === `Bearer ${next}`);
  const { output } = await rig.inside(`curl -sS -H 'X-Old: ${FORGE}' ${secure('/api/x')}`);
  assert.match(output, /the value of the secret forge/);
});

test('what is lent holds while the daemon is away, and while a proxy is replaced', async () => {
  await leases.stop();
  const ask = async () =>
    (await rig.inside(`curl -sS -H "Authorization: Bearer $NPM_TOKEN" ${secure('/npm/tiny')} | head -c 7`))
      .output;
  assert.equal(await ask(), '{"name"');
  leases = await keeper();
  const first = readProcess(rig.places.process)!;
  process.kill(first.pid, 'SIGKILL');
  await until(
    'another proxy',
    () => readProcess(rig.places.process)?.pid !== first.pid && rig.proxy.trouble() === null,
  );
  await until('the lease there', async () => (await ask()) === '{"name"');
});

test('with a Vault that is sealed a lease goes on until its end, and the refusal says why', async () => {
  await leases.stop();
  await using vault = await startOpenBao();
  const { root, key } = await vault.initialise();
  await vault.call('POST', 'sys/mounts/secret', {
    token: root,
    body: { type: 'kv', options: { version: '2' } },
  });
  const login = {
    address: vault.address,
    caFile: vault.caFile,
    token: root,
    roleIdFile: '',
    secretIdFile: '',
  };
  const open = () => vaultSecrets({ mount: 'secret', ...login });
  const early = open();
  const stores = [early];
  await until('the store', async () => await early.put('forge', 'v4ult-Value-1').catch(() => undefined));
  const ask = async () => {
    const { output } = await rig.inside(
      `curl -sS -H "Authorization: Bearer $FORGE_KEY" ${secure('/api/vault')}`,
    );
    return output === 'welcome' ? seen.findLast(({ url }) => url === '/api/vault')!.authorization : output;
  };
  leases = await keeper({ secrets: early });
  await until('the value of Vault', async () => (await ask()) === 'Bearer v4ult-Value-1');
  const again = async (options: Partial<LeasesOptions>) => {
    await leases.stop();
    const opened = open();
    stores.push(opened);
    leases = await keeper({ secrets: opened, ...options });
  };
  await vault.call('PUT', 'sys/seal', { token: root });
  await again({});
  const trouble = async () =>
    (await listLeases(database.pool, { run, all: false, limit: 9 })).find(({ secret }) => secret === 'forge')
      ?.trouble;
  await until('the trouble', async () => /sealed/.test((await trouble()) ?? ''));
  assert.equal(await ask(), 'Bearer v4ult-Value-1');
  await vault.unseal(key);
  await again({ leaseSeconds: 2, readMs: 200 });
  await until('another lease', async () => (await trouble()) === null);
  await vault.call('PUT', 'sys/seal', { token: root });
  await again({ leaseSeconds: 2, readMs: 200 });
  const ended = await until('the end', async () => {
    const said = await ask();
    return said === 'Bearer v4ult-Value-1' ? null : said;
  });
  assert.match(ended, /the secret forge is not lent to this run now: .*sealed/);
  await vault.unseal(key);
  await until('the value again', async () => (await ask()) === 'Bearer v4ult-Value-1');
  await leases.stop();
  for (const each of stores) await each.close();
  leases = await keeper();
});

test('a run that has ended has nothing lent any more', async () => {
  await until('the value', async () => {
    await rig.inside(`curl -sS -H "Authorization: Bearer $FORGE_KEY" ${secure('/api/last')}`);
    return seen.at(-1)?.url === '/api/last';
  });
  await database.pool.query(
    `update run set state = 'failed', cause = 'agent', finished_at = now() where id = $1`,
    [run],
  );
  await emit(database.pool, { kind: 'run.state', run, data: { to: 'failed' } });
  await until('the end', async () => {
    const open = await listLeases(database.pool, { run, all: false, limit: 9 });
    return open.length === 0;
  });
  // Its identity is kept alive here, as if that file were late.
  const ask = async () =>
    (await rig.inside(`curl -sS -H "Authorization: Bearer $FORGE_KEY" ${secure('/api/after')}`)).output;
  await until('the refusal', async () => /a placeholder that is not lent to this run/.test(await ask()));
  const count = seen.length;
  assert.match(await ask(), /was refused/);
  assert.equal(seen.length, count);
  const all = await listLeases(database.pool, { run, all: true, limit: 9 });
  assert.ok(all.length === 3 && all.every(({ endedAt }) => endedAt !== null));
});
