// A real OpenBao, which speaks Vault's API, for one test file: `await using vault = await startOpenBao()`. TLS by an authority
// of its own, the configuration that is installed, in a directory of its own; not initialised. Built by scripts/servers/openbao/build.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createPrivateKey } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { makeAuthority, makeServerCertificate } from '../../orchestrator/tls/certificate.ts';

const PROGRAM = join(import.meta.dirname, '../../.runtime/servers/openbao-2.4.0/bao');
const CONFIGURATION = join(import.meta.dirname, '../../vault/server.hcl');
const START_MS = 120_000;

interface Answer {
  status: number;
  // The tests look into whatever came.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any;
}

export interface OpenBao {
  address: string;
  caFile: string;
  /** A directory for the test, away with the server. */
  directory: string;
  start(): Promise<void>;
  /** Ends it as a power cut would; what it has stored stays. */
  kill(): Promise<void>;
  /** A call as somebody with that token; status and parsed body. */
  call(method: string, path: string, options?: { token?: string; body?: object }): Promise<Answer>;
  /** Initialises it with one key share, and unseals it; what an operator would do by hand. */
  initialise(): Promise<{ key: string; root: string }>;
  unseal(key: string): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a server that nobody has initialised. */
export async function startOpenBao(): Promise<OpenBao> {
  const directory = mkdtempSync(join(tmpdir(), 'autocode-openbao-'));
  const caFile = join(directory, 'ca.crt');
  const port = await freePort();
  const address = `https://127.0.0.1:${port}`;
  const authority = await makeAuthority('OpenBao of a test', new Date());
  const issuer = { name: 'OpenBao of a test', key: createPrivateKey(authority.key) };
  const own = await makeServerCertificate(['127.0.0.1'], issuer, { now: new Date(), days: 2 });
  writeFileSync(caFile, authority.certificate);
  writeFileSync(join(directory, 'server.crt'), own.certificate);
  writeFileSync(join(directory, 'server.key'), own.key, { mode: 0o600 });
  mkdirSync(join(directory, 'storage'));
  const settings = join(directory, 'server.hcl');
  writeFileSync(settings, configuration(directory, port, await freePort()));
  const agent = new Agent({ connect: { ca: authority.certificate } });
  let child: ChildProcess | undefined;

  const call: OpenBao['call'] = async (method, path, { token, body } = {}) => {
    const answer = await request(`${address}/v1/${path}`, {
      dispatcher: agent,
      method: method as 'GET',
      headers: {
        ...(token && { 'x-vault-token': token }),
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, body: text === '' ? undefined : JSON.parse(text) };
  };
  const start = async () => {
    child = spawn('setpriv', ['--pdeathsig', 'KILL', PROGRAM, 'server', '-config', settings], {
      stdio: 'ignore',
      env: { HOME: directory },
    });
    for (const giveUp = performance.now() + START_MS; ; await delay(20)) {
      if (
        await call('GET', 'sys/seal-status').then(
          () => true,
          () => false,
        )
      )
        return;
      if (child.exitCode !== null || performance.now() > giveUp) throw new Error('OpenBao did not start');
    }
  };
  const kill = async () => {
    const ending = child;
    child = undefined;
    if (ending === undefined || ending.exitCode !== null) return;
    ending.kill('SIGKILL');
    await once(ending, 'exit');
  };
  const unseal = async (key: string) => {
    const { body } = await call('POST', 'sys/unseal', { body: { key } });
    if (body.sealed !== false) throw new Error(`it stays sealed: ${JSON.stringify(body)}`);
  };
  await start();
  return {
    address,
    caFile,
    directory,
    start,
    kill,
    call,
    unseal,
    initialise: async () => {
      const { body } = await call('POST', 'sys/init', { body: { secret_shares: 1, secret_threshold: 1 } });
      await unseal(body.keys[0]);
      return { key: body.keys[0], root: body.root_token };
    },
    [Symbol.asyncDispose]: async () => {
      await kill();
      await agent.destroy();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The configuration that is installed, bound to loopback and with everything in this directory. */
function configuration(directory: string, port: number, clusterPort: number): string {
  return readFileSync(CONFIGURATION, 'utf8')
    .replaceAll(/^listener [^}]*@WORKERS@[^}]*}\n/gm, '')
    .replaceAll('@HOST@', '127.0.0.1')
    .replaceAll('/mnt/data/autocode/vault-data', join(directory, 'storage'))
    .replaceAll('/etc/autocode-vault', directory)
    .replaceAll('8200', String(port))
    .replaceAll('8201', String(clusterPort));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
