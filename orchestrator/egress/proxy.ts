// Keeps the egress proxy running: adopts the one that runs, starts one where there is none, starts it again when it has ended or does
// not answer. While it is away sandboxes have no way out. Used by open.ts.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../telemetry/log.ts';
import { inheritedEnvironment } from '../config/client-environment.ts';
import type { EgressSettings } from '../config/egress-settings.ts';
import { readAuthority } from './authority.ts';
import { ownArgument, proxyCommand } from './mitmdump.ts';
import type { EgressPlaces } from './places.ts';
import {
  answers,
  endProcess,
  endUnknown,
  isAlive,
  lastWords,
  readProcess,
  startProcess,
  type ProxyProcess,
} from './proxy-process.ts';

export interface Proxy {
  /** Where it listens; of one that is away, where it will. */
  port: number;
  /** Null when it answers, else what is wrong. */
  trouble(): string | null;
  /** Stops looking after it; `end` ends the process too. */
  stop(end: boolean): Promise<void>;
}

export interface ProxyOptions {
  settings: EgressSettings;
  places: EgressPlaces;
  log: Log;
}

const LOOK_MS = 1_000;
const START_MS = 60_000;
const START_POLL_MS = 100;
const MISSED = 3;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
const STEADY_MS = 30_000;

/** Looks after the proxy from now on; resolves at once, with the port. */
export async function superviseProxy({ settings, places, log }: ProxyOptions): Promise<Proxy> {
  const known = readProcess(places.process);
  const port = settings.port === 'auto' ? await portFor(settings, known) : settings.port;
  let trouble: string | null = 'it is being started';
  let current: ProxyProcess | null = known !== null && isAlive(known) ? known : null;
  const stopping = new AbortController();
  const { signal } = stopping;

  // A proxy that is a service of its own is only asked.
  async function watch(proxy: ProxyProcess | null): Promise<void> {
    for (let missed = 0; !signal.aborted;) {
      if (proxy !== null && !isAlive(proxy)) return;
      missed = (await answers(settings.host, port)) ? 0 : missed + 1;
      if (missed === 0) trouble = null;
      else if (missed >= MISSED) trouble = 'it does not answer';
      if (missed >= MISSED && proxy !== null) return;
      await delay(LOOK_MS, undefined, { signal }).catch(() => {});
    }
  }

  async function start(): Promise<ProxyProcess> {
    const command = proxyCommand(settings, places, port);
    const signature = signatureOf(command.arguments, places);
    if (current !== null && current.signature === signature) return current;
    if (current !== null) await endProcess(current);
    await endUnknown(ownArgument(places));
    const { PATH = '/usr/bin:/bin', SSL_CERT_FILE } = inheritedEnvironment();
    const environment = {
      PATH,
      PYTHONDONTWRITEBYTECODE: '1',
      ...(SSL_CERT_FILE === undefined ? {} : { SSL_CERT_FILE }),
    };
    const started = await startProcess(command, {
      port,
      signature,
      environment,
      file: places.process,
      log: places.log,
    });
    const giveUp = performance.now() + START_MS;
    while (!signal.aborted && isAlive(started) && performance.now() < giveUp) {
      if (await answers(settings.host, port)) return started;
      await delay(START_POLL_MS, undefined, { signal }).catch(() => {});
    }
    return started;
  }

  async function keepRunning(): Promise<void> {
    if (settings.service) return await watch(null);
    for (let pause = FIRST_PAUSE_MS; !signal.aborted;) {
      const began = performance.now();
      try {
        current = await start();
        await watch(current);
        if (signal.aborted) return;
        if (isAlive(current)) await endProcess(current);
        trouble = `it has ended: ${lastWords(places.log) || 'it said nothing'}`;
      } catch (error) {
        trouble = (error as Error).message;
      }
      current = null;
      pause = performance.now() - began > STEADY_MS ? FIRST_PAUSE_MS : Math.min(pause * 2, LONGEST_PAUSE_MS);
      log.warn(`the egress proxy is away, sandboxes have no way out: ${trouble}`, { part: 'egress' });
      await delay(pause, undefined, { signal }).catch(() => {});
    }
  }

  const done = keepRunning();
  return {
    port,
    trouble: () => trouble,
    async stop(end) {
      stopping.abort();
      await done;
      if (end && current !== null) await endProcess(current);
    },
  };
}

/** Ends a proxy that an earlier start has left, where none is wanted any more. */
export async function endLeftProxy(places: EgressPlaces): Promise<void> {
  const left = readProcess(places.process);
  if (left !== null && isAlive(left)) await endProcess(left);
}

// The port of the last time: sandboxes of runs that go on know it.
async function portFor({ host }: EgressSettings, known: ProxyProcess | null): Promise<number> {
  if (known !== null && (isAlive(known) || (await isFree(host, known.port)))) return known.port;
  const probe = net.createServer().listen(0, host);
  await once(probe, 'listening');
  const { port } = probe.address() as net.AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

async function isFree(host: string, port: number): Promise<boolean> {
  const probe = net.createServer().listen(port, host);
  const free = await once(probe, 'listening').then(
    () => true,
    () => false,
  );
  if (free) {
    probe.close();
    await once(probe, 'close');
  }
  return free;
}

function signatureOf(words: string[], { addOns, authority }: EgressPlaces): string {
  const hash = createHash('sha256').update(words.join('\0'));
  for (const name of readdirSync(addOns).toSorted())
    if (name.endsWith('.py') && !name.startsWith('test_')) hash.update(readFileSync(join(addOns, name)));
  return hash.update(readAuthority(authority)?.certificate ?? '').digest('hex');
}
