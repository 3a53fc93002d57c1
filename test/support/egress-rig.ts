// A way out for tests: the real proxy with a policy and one run, a relay, a sandbox, and servers to ask over TLS and without.
// The authority that the servers' certificate is from is trusted by the proxy alone, as in the world outside.
import { execFileSync } from 'node:child_process';
import { createHash, createPrivateKey, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import http, { type RequestListener } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { browserPolicy } from '../../protocol/browser-trust.ts';
import type { TrafficRecord } from '../../protocol/traffic.ts';
import { EgressSettings } from '../../orchestrator/config/egress-settings.ts';
import { writeFileAtomic } from '../../orchestrator/config/atomic-file.ts';
import { ensureAuthority } from '../../orchestrator/egress/authority.ts';
import { egressPlaces } from '../../orchestrator/egress/places.ts';
import { superviseProxy } from '../../orchestrator/egress/proxy.ts';
import { searchTraffic } from '../../orchestrator/egress/traffic/search.ts';
import { makeAuthority, makeServerCertificate } from '../../orchestrator/tls/certificate.ts';
import { startEgressRelay } from '../../worker-agent/runner/egress-relay.ts';
import { confinedHost } from '../../worker-agent/sandbox/confined.ts';
import { openScratchConfined } from '../../worker-agent/sandbox/scratch.ts';
import { outputOf } from '../../worker-agent/sandbox/self-test/quick.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
export const MITMDUMP = path.join(ROOT, '.runtime/servers/mitmproxy/bin/mitmdump');
// The set-up's own, or the system's where its Node.js is new enough.
const OWN_NPM = path.join(ROOT, '.runtime/node/node_modules/npm');
const LONGEST_MS = 120_000;
export const RUN = '12-1';

/** Waits until something is so. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false | null> | T | undefined | false | null,
): Promise<T> {
  for (const giveUp = performance.now() + LONGEST_MS; ; await delay(50)) {
    const found = await look();
    if (found !== undefined && found !== false && found !== null) return found;
    if (performance.now() > giveUp) throw new Error(`${what} did not come about in ${LONGEST_MS} ms`);
  }
}

/** Servers outside, with a certificate for `localhost` and 127.0.0.1. */
export async function openServers(directory: string, answer: RequestListener) {
  const authority = await makeAuthority('Outside', new Date());
  const issuer = { name: 'Outside', key: createPrivateKey(authority.key) };
  const own = await makeServerCertificate(['localhost', '127.0.0.1'], issuer, { now: new Date(), days: 2 });
  const trust = path.join(directory, 'outside.pem');
  await writeFile(trust, authority.certificate);
  const plain = http.createServer(answer).listen(0, '127.0.0.1');
  const secure = https
    .createServer({ key: own.key, cert: own.certificate, ALPNProtocols: ['http/1.1'] }, answer)
    .listen(0, '127.0.0.1');
  let connections = 0;
  for (const server of [plain, secure]) server.on('connection', () => (connections += 1));
  await Promise.all([once(plain, 'listening'), once(secure, 'listening')]);
  const port = (server: http.Server | https.Server) => (server.address() as AddressInfo).port;
  return {
    issuer,
    trust,
    plain: port(plain),
    secure: port(secure),
    connections: () => connections,
    close() {
      for (const server of [plain, secure]) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

/** Where npm is. */
export function npmDirectory(): string {
  if (existsSync(OWN_NPM)) return OWN_NPM;
  const program = execFileSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim();
  return path.dirname(path.dirname(realpathSync(program)));
}

/** Starts all of it. */
export async function egressRig(
  answer: RequestListener,
  more: (servers: Awaited<ReturnType<typeof openServers>>) => Partial<EgressSettings> = () => ({}),
  { run = RUN, placeholders = {} }: { run?: string; placeholders?: Record<string, string> } = {},
) {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'autocode-egress-')));
  const toolDir = path.join(directory, 'tools');
  mkdirSync(toolDir);
  cpSync(npmDirectory(), path.join(toolDir, 'npm'), { recursive: true });
  const [pip] = globSync(path.join(path.dirname(MITMDUMP), '../lib/python3*/site-packages/pip'));
  cpSync(pip!, path.join(toolDir, 'pip'), { recursive: true });
  const servers = await openServers(directory, answer);
  const places = egressPlaces(path.join(directory, 'data'));
  mkdirSync(path.dirname(places.policy), { recursive: true });
  mkdirSync(places.spool, { recursive: true });
  const authority = await ensureAuthority(places.authority);
  const token = `ac_egress_${randomBytes(32).toString('base64url')}`;
  let version = 0;
  const rule = async (...rules: string[]) =>
    await writeFileAtomic(
      places.policy,
      JSON.stringify({ version: String((version += 1)), rules, recording: {} }),
    );
  const allow = async (...rules: string[]) => await rule(...rules.map((each) => `allow ${each}`));
  const live = async (...tokens: string[]) => {
    const who = { run, task: 12, project: 'shop', kind: 'change', worker: 'w' };
    const rows = tokens.map((each) => [createHash('sha256').update(each).digest('hex'), who]);
    await writeFileAtomic(places.identities, JSON.stringify(Object.fromEntries(rows)));
  };
  await allow();
  await live(token);
  const proxy = await superviseProxy({
    settings: EgressSettings.parse({
      proxy: true,
      program: MITMDUMP,
      upstreamCa: servers.trust,
      spoolBytes: 8 * 1024 * 1024,
      ...more(servers),
    }),
    places,
    log: { warn() {}, info() {}, error() {}, debug() {} } as never,
  });
  await until('the proxy', () => proxy.trouble() === null);
  const socket = path.join(directory, 'egress.sock');
  const url = `http://127.0.0.1:${proxy.port}`;
  const relay = await startEgressRelay({ url, token, socket, patienceMs: 500 });
  const certificate = path.join(directory, 'ca.pem');
  await writeFile(certificate, authority.certificate, { mode: 0o644 });
  const browser = path.join(directory, 'browser.json');
  await writeFile(browser, browserPolicy(authority.certificate), { mode: 0o644 });
  const host = await confinedHost('bubblewrap', process.env.PATH ?? '');
  const sandbox = await openScratchConfined(host, {
    toolDir,
    egress: { socket, authority: certificate, browser, placeholders },
  });
  return {
    directory,
    places,
    proxy,
    servers,
    socket,
    token,
    url,
    sandbox,
    allow,
    rule,
    live,
    /** A shell command inside; the servers are asked by the proxy although they are near. */
    async inside(command: string) {
      const env = { NO_PROXY: '', no_proxy: '' };
      return await outputOf(sandbox.spawn(['bash', '-c', command], { egress: true, env }));
    },
    /** Records that have ended, the first first. */
    async records(): Promise<TrafficRecord[]> {
      const { records } = await searchTraffic(places.spool, { limit: 1000 });
      return records.filter(({ event }) => event === 'close').toReversed();
    },
    async [Symbol.asyncDispose]() {
      await sandbox.close();
      await relay.close();
      await proxy.stop(true);
      servers.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
