// Lends secrets to runs: while a run lives and a secret that is bound for it can be read, the proxy has the value; when the run ends, or
// the secret cannot be read for as long as a lease lasts, it has not. Started by daemon/egress.ts.
import { setTimeout as delay } from 'node:timers/promises';
import type { PartHealth } from '../../../protocol/status.ts';
import type { Database } from '../../db/connect.ts';
import { onNotify } from '../../db/notifications.ts';
import type { LiveValue } from '../live-values.ts';
import { notRedactable } from '../redactable.ts';
import type { Secret, SecretManager } from '../secret-manager.ts';
import { placeholderFor } from './placeholder.ts';
import { openProxyLine, type Lent } from './proxy-line.ts';
import {
  boundSecrets,
  keepStanding,
  tellMisuse,
  wantedNow,
  WRITTEN,
  type Standing,
  type Wanted,
} from './store.ts';

const LEASE_SECONDS = 300;
/** How often secrets are read anew: what another process has written is seen after so long, and leases are renewed. */
const READ_MS = 30_000;
const SHORTEST_PAUSE_MS = 100;
/** A proxy that starts takes seconds; one that cannot be told anything for longer is in trouble. */
const PATIENCE_MS = 10_000;

export interface LeasesOptions {
  db: Database;
  secrets: Pick<SecretManager, 'get'>;
  serverKey: Buffer;
  /** Where the proxy listens. */
  socket: string;
  /** Values that go nowhere, beside those that are bound: of all secrets that were read so far. */
  known?: (() => LiveValue[]) | undefined;
  failed(error: unknown): void;
  leaseSeconds?: number;
  readMs?: number;
}

export interface Leases {
  /** That the proxy cannot be told of leases; nothing where it can, or need not. */
  health(): PartHealth[];
  stop(): Promise<void>;
}

interface Lease {
  wanted: Wanted;
  version: number | null;
  /** The newest first; those of before are still looked for. */
  values: string[];
  /** By performance.now(). */
  until: number;
  trouble: string | null;
}

/** `gone`: there is none; else it could not be read, which says nothing of what was lent. */
type Reading = { secret: Secret } | { trouble: string; gone: boolean };

/** Keeps proxy and database as runs, bindings and secrets are, from now on. */
export async function keepLeases(options: LeasesOptions): Promise<Leases> {
  const {
    db,
    serverKey,
    socket,
    known = () => [],
    failed,
    leaseSeconds = LEASE_SECONDS,
    readMs = READ_MS,
  } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const leases = new Map<string, Lease>();
  const readings = new Map<string, Reading>();
  let names: string[] = [];
  let readAt = -Infinity;
  let outdated = new Set<string>();
  let heardAt = performance.now();
  let kept: string | null = null;
  let wake = () => {};

  const line = openProxyLine({
    socket,
    signal,
    now: () => (kept === null ? null : lent()),
    failed,
    async misused(reports) {
      for (const [request, misuse] of Object.entries(reports)) await tellMisuse(db, request, misuse);
    },
  });

  function lent(): Lent {
    const now = performance.now();
    return {
      leases: [...leases.values()].map(({ wanted, values, until, trouble }) => ({
        ...wanted,
        placeholder: placeholderFor(serverKey, wanted.run, wanted.secret),
        values,
        seconds: Math.max(0, until - now) / 1000,
        trouble,
      })),
      watched: watchedNow(),
      names: [...new Set([...names, ...known().map(({ name }) => name)])],
    };
  }

  function watchedNow(): Record<string, string[]> {
    const read = [...readings].flatMap(([name, reading]) =>
      'secret' in reading ? [{ name, value: reading.secret.value }] : [],
    );
    const values = new Map<string, Set<string>>();
    for (const { name, value } of [...read, ...known()])
      if (notRedactable(value) === null) values.set(name, (values.get(name) ?? new Set()).add(value));
    return Object.fromEntries([...values].map(([name, some]) => [name, [...some]]));
  }

  async function refresh(): Promise<void> {
    const wanted = await wantedNow(db);
    names = await boundSecrets(db);
    await read();
    const current = new Set(wanted.map(keyOf));
    for (const key of leases.keys()) if (!current.has(key)) leases.delete(key);
    for (const each of wanted) {
      const lease = leases.get(keyOf(each)) ?? fresh(each);
      leases.set(keyOf(each), { ...renewed(lease, readings.get(each.secret)), wanted: each });
    }
    const now = JSON.stringify([...leases.values(), ...readings, names, known()]);
    if (now === kept) return;
    await keepStanding(db, [...leases.values()].map(standing));
    kept = now;
    line.say();
  }

  async function read(): Promise<void> {
    const all = performance.now() - readAt >= readMs;
    if (all) readAt = performance.now();
    const written = outdated;
    outdated = new Set();
    for (const name of readings.keys()) if (!names.includes(name)) readings.delete(name);
    const due = names.filter((name) => all || written.has(name) || !readings.has(name));
    await Promise.all(due.map(async (name) => readings.set(name, await readingOf(options.secrets, name))));
  }

  function renewed(lease: Lease, reading: Reading | undefined): Lease {
    if (reading === undefined) return lease;
    if ('trouble' in reading)
      return { ...lease, until: reading.gone ? 0 : lease.until, trouble: reading.trouble };
    const { value, version } = reading.secret;
    const odd = notRedactable(value);
    if (odd !== null) return { ...lease, until: 0, trouble: `it cannot be watched for: ${odd}` };
    const values = [value, ...lease.values.filter((each) => each !== value)];
    return { ...lease, version, values, until: readAt + leaseSeconds * 1000, trouble: null };
  }

  async function follow(): Promise<void> {
    while (!signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await refresh().catch(failed);
      if (line.connected()) heardAt = performance.now();
      await Promise.race([
        woken,
        delay(Math.min(readMs, 5_000), undefined, { signal, ref: false }).catch(() => {}),
      ]);
      await delay(SHORTEST_PAUSE_MS, undefined, { signal }).catch(() => {});
    }
  }

  const unsubscribe = [
    await onNotify(db, 'event', () => wake()),
    await onNotify(db, WRITTEN, (name) => {
      if (name !== undefined) outdated.add(name);
      wake();
    }),
  ];
  const following = follow();
  return {
    health() {
      if (leases.size === 0 || line.connected() || performance.now() - heardAt < PATIENCE_MS) return [];
      const detail = 'the egress proxy cannot be told of secrets: requests that need one are refused';
      return [{ name: 'injection', state: 'degraded', detail }];
    },
    async stop() {
      stopping.abort();
      wake();
      await following;
      await line.stopped;
      for (const each of unsubscribe) each();
    },
  };
}

const keyOf = ({ run, secret }: Pick<Wanted, 'run' | 'secret'>) => `${run} ${secret}`;

const fresh = (wanted: Wanted): Lease => ({ wanted, version: null, values: [], until: 0, trouble: null });

function standing({ wanted: { run, secret }, version, until, trouble }: Lease): Standing {
  const seconds = trouble === null ? Math.max(0, until - performance.now()) / 1000 : null;
  return { run, secret, version, seconds, trouble };
}

async function readingOf(secrets: Pick<SecretManager, 'get'>, name: string): Promise<Reading> {
  try {
    const secret = await secrets.get(name);
    return secret === undefined ? { trouble: `there is no secret named ${name}`, gone: true } : { secret };
  } catch (error) {
    return { trouble: (error as Error).message, gone: false };
  }
}
