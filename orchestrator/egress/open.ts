// The sandboxes' way out, put together: authority, identities and the proxy. Imported only where it is configured; used by
// orchestrator/daemon/egress.ts.
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Log } from '../../telemetry/log.ts';
import type { PartHealth } from '../../protocol/status.ts';
import type { WorkOrder } from '../../protocol/worker.ts';
import type { EgressSettings } from '../config/egress-settings.ts';
import type { Database } from '../db/connect.ts';
import { ensureAuthority, readAuthority } from './authority.ts';
import { egressToken, identitiesOf } from './identities.ts';
import { keepFile } from './kept-file.ts';
import { egressPlaces } from './places.ts';
import { keepPolicyFile } from './policy/policy-file.ts';
import { readPresets } from './policy/presets.ts';
import { superviseProxy } from './proxy.ts';
import { spoolSize } from './traffic/spool-files.ts';
import { workersByAddress } from './worker-addresses.ts';

export interface Egress {
  /** What a run needs to go out. */
  orderFor(run: string): Omit<NonNullable<WorkOrder['egress']>, 'placeholders'>;
  health(): PartHealth;
  stop(): Promise<void>;
}

const MEGABYTE = 1024 * 1024;
const NEARLY_FULL = 0.9;

export interface EgressParts {
  settings: EgressSettings;
  /** The data directory. */
  root: string;
  db: Database;
  log: Log;
  serverKey: Buffer;
}

/** Starts all of it. */
export async function openEgress({ settings, root, db, log, serverKey }: EgressParts): Promise<Egress> {
  const places = egressPlaces(root);
  await mkdir(dirname(places.identities), { recursive: true, mode: 0o700 });
  await mkdir(places.spool, { recursive: true, mode: 0o750 });
  await ensureAuthority(places.authority);
  const stopping = new AbortController();
  const { signal } = stopping;
  const identities = await keepFile({
    db,
    file: places.identities,
    content: async () => await identitiesOf(db, serverKey),
    signal,
    failed: (error) => log.warn('the identities for the egress proxy could not be written', { error }),
  });
  const workers =
    settings.firewall &&
    (await keepFile({
      db,
      file: places.workers,
      content: async () => await workersByAddress(db),
      signal,
      failed: (error) => log.warn('the workers for the egress proxy could not be written', { error }),
    }));
  const policy = await keepPolicyFile({
    db,
    file: places.policy,
    presets: readPresets(),
    signal: stopping.signal,
    failed: (error) => log.warn('the egress policy could not be written for the proxy', { error }),
  });
  const proxy = await superviseProxy({ settings, places, log });
  const url = settings.publicUrl ?? `http://${hostFor(settings.host)}:${proxy.port}`;
  return {
    orderFor(run) {
      const authority = readAuthority(places.authority); // it may have been replaced
      return { url, token: egressToken(serverKey, run), ca: authority?.certificate ?? '' };
    },
    health() {
      const name = 'egress';
      const trouble = proxy.trouble();
      if (trouble !== null) return { name, state: 'down', detail: `sandboxes have no way out: ${trouble}` };
      const bytes = spoolSize(places.spool);
      const room = `${Math.ceil(bytes / MEGABYTE)} of ${Math.floor(settings.spoolBytes / MEGABYTE)} MB of records`;
      if (bytes + MEGABYTE > settings.spoolBytes)
        return { name, state: 'down', detail: `nothing is let out: the spool is full, ${room}` };
      if (bytes > NEARLY_FULL * settings.spoolBytes)
        return { name, state: 'degraded', detail: `the spool is nearly full: ${room}` };
      return { name, state: 'ok', detail: `proxy at ${url}, ${room}` };
    },
    // Runs that go on without the daemon keep their way out.
    async stop() {
      stopping.abort();
      await identities.stopped;
      await workers?.stopped;
      await policy.stopped;
      await proxy.stop((await identitiesOf(db, serverKey)) === '{}');
    },
  };
}

function hostFor(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
