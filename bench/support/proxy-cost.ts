// What the add-ons of the egress proxy cost: mitmproxy with them against the same without, on the same requests in turns.
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EgressSettings } from '../../orchestrator/config/egress-settings.ts';
import { proxyCommand } from '../../orchestrator/egress/mitmdump.ts';
import { egressPlaces } from '../../orchestrator/egress/places.ts';
import { percentile, pssMb } from './measure.ts';

const MITMDUMP = join(import.meta.dirname, '../../.runtime/servers/mitmproxy/bin/mitmdump');
const TOKEN = 'ac_egress_bench';
const ROUNDS = 5;
const REQUESTS = 1_000;
const AT_ONCE = 8;
const TICKS = 100;

export interface ProxyCost {
  /** CPU time of a request, ms. */
  cpuWithout: number;
  cpuWith: number;
  /** How many times as much: median of the rounds. */
  cpu: number;
  memory: number;
}

/** Null where mitmproxy is not installed for development. */
export async function proxyCost(): Promise<ProxyCost | null> {
  if (!existsSync(MITMDUMP)) return null;
  const root = mkdtempSync(join(tmpdir(), 'autocode-bench-'));
  const upstream = http.createServer((_request, response) => response.end('{"ok":true}'));
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const target = `http://127.0.0.1:${(upstream.address() as net.AddressInfo).port}`;
  const bare = await start(root, target, false);
  const full = await start(root, target, true);
  try {
    for (const each of [bare, full]) await load(each, target); // caches, imports
    const rounds: [number, number][] = [];
    for (let round = 0; round < ROUNDS; round++)
      rounds.push([await load(bare, target), await load(full, target)]);
    const median = (numbers: number[]) => percentile(numbers, 0.5);
    return {
      cpuWithout: median(rounds.map(([without]) => without)),
      cpuWith: median(rounds.map(([, withThem]) => withThem)),
      cpu: median(rounds.map(([without, withThem]) => withThem / without)),
      memory: pssMb(full.child.pid!) / pssMb(bare.child.pid!),
    };
  } finally {
    for (const { child } of [bare, full]) child.kill('SIGKILL');
    upstream.close();
    upstream.closeAllConnections();
    rmSync(root, { recursive: true, force: true });
  }
}

interface Started {
  child: ChildProcess;
  port: number;
}

async function start(root: string, target: string, addOns: boolean): Promise<Started> {
  const places = egressPlaces(join(root, addOns ? 'with' : 'without'));
  mkdirSync(places.authority, { recursive: true });
  const who = { run: '1-1', task: 1, project: 'shop', kind: 'change', worker: 'w' };
  const hash = createHash('sha256').update(TOKEN).digest('hex');
  writeFileSync(places.identities, JSON.stringify({ [hash]: who }));
  const rules = [`allow host=${new URL(target).host}`];
  writeFileSync(places.policy, JSON.stringify({ version: '1', rules, recording: {} }));
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as net.AddressInfo;
  probe.close();
  await once(probe, 'close');
  const { program, arguments: words } = proxyCommand(
    EgressSettings.parse({ program: MITMDUMP }),
    places,
    port,
  );
  const script = words.indexOf('--scripts');
  const without = words.filter(
    (word, index) =>
      index !== script &&
      index !== script + 1 &&
      !word.startsWith('autocode_') &&
      !words[index + 1]?.startsWith('autocode_'),
  );
  const child = spawn(program, addOns ? words : without, { stdio: ['ignore', 'ignore', 'inherit'] });
  const started = { child, port };
  for (const giveUp = performance.now() + 60_000; ; await delay(100)) {
    if ((await ask(started, target, undefined).catch(() => 0)) === 200) return started;
    if (performance.now() > giveUp || child.exitCode !== null) throw new Error('mitmproxy does not start');
  }
}

/** CPU time of one of many requests, ms. */
async function load(started: Started, target: string): Promise<number> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const before = cpu(started);
  let left = REQUESTS;
  const work = async () => {
    while (left-- > 0) {
      const status = await ask(started, target, agent);
      if (status !== 200) throw new Error(`the proxy answers ${status}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  agent.destroy();
  return ((cpu(started) - before) * (1_000 / TICKS)) / REQUESTS;
}

async function ask({ port }: Started, target: string, agent: http.Agent | undefined): Promise<number> {
  return await new Promise((resolve, reject) => {
    const headers = {
      host: new URL(target).host,
      'proxy-authorization': `Basic ${Buffer.from(`run:${TOKEN}`).toString('base64')}`,
      'user-agent': 'bench',
      accept: '*/*',
    };
    http
      .get(
        { host: '127.0.0.1', port, path: `${target}/v1/items`, headers, agent: agent ?? false },
        (answer) => {
          answer.resume();
          answer.once('end', () => resolve(answer.statusCode ?? 0));
        },
      )
      .on('error', reject);
  });
}

function cpu({ child }: Started): number {
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
