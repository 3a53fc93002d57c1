// The running engines behind the catalogue's models: one connection pool an upstream or a replica, one player a recording,
// made when first used. Used by the gateway.
import { AutocodeError } from '../../protocol/errors.ts';
import type { LocalServed, Served } from './catalogue.ts';
import type { Engine } from './engine/engine.ts';
import { replayEngine } from './engine/replay.ts';
import { upstreamEngine } from './engine/upstream.ts';
import type { UpstreamTimeouts } from './engine/upstream.ts';
import type { Acquired, AcquireOptions, Supervisor } from './supervisor/acquired.ts';

/** What is needed of the secret store. */
export interface SecretReader {
  get(name: string): Promise<string>;
}

export interface EnginesOptions {
  secrets: SecretReader;
  timeouts?: Partial<UpstreamTimeouts> | undefined;
  /** Who runs the models of the appliance's own, where there are any. */
  supervisor?: Pick<Supervisor, 'acquire'> | undefined;
}

export interface Engines {
  of(serves: Exclude<Served, LocalServed>): Engine;
  /** A place at a replica of a model of the appliance's own; `release` ends its use, and only the first call counts. */
  acquire(serves: LocalServed, options: AcquireOptions): Promise<Acquired & { engine: Engine }>;
  close(): Promise<void>;
}

const KEY_KEPT_MS = 10_000;

/** Makes engines on demand and keeps them until `close`. */
export function engines({ secrets, timeouts = {}, supervisor }: EnginesOptions): Engines {
  const running = new Map<string, Engine>();
  const replicas = replicaPools(timeouts);
  const make = (serves: Exclude<Served, LocalServed>): Engine => {
    if (serves.kind === 'replay') return replayEngine(serves.recording);
    const { name, url, protocols, apiKeySecret } = serves.engine;
    const apiKey = apiKeySecret === undefined ? noKey : kept(() => secrets.get(apiKeySecret));
    return upstreamEngine({ name, url, protocols, apiKey, timeouts });
  };
  return {
    of(serves) {
      const id = serves.kind === 'replay' ? `replay ${serves.recording}` : `upstream ${serves.engine.name}`;
      const engine = running.get(id) ?? make(serves);
      running.set(id, engine);
      return engine;
    },
    async acquire(serves, options) {
      if (supervisor === undefined) throw notRun(serves.model);
      const acquired = await supervisor.acquire(serves.model, options);
      const { engine, leave } = replicas.enter(serves, acquired.url);
      let released = false;
      const release = () => {
        if (released) return;
        released = true;
        leave();
        acquired.release();
      };
      return { ...acquired, engine, release };
    },
    async close() {
      await Promise.all([...running.values()].map((engine) => engine.close()));
      running.clear();
      await replicas.close();
    },
  };
}

/** A replica that nobody has used for so long may be gone: its connections are closed. */
const REPLICA_KEPT_MS = 60_000;

/** The connection pools of replicas, by their address. */
function replicaPools(timeouts: Partial<UpstreamTimeouts>) {
  const pools = new Map<string, { engine: Engine; users: number; usedAt: number }>();
  const closeUnused = () => {
    const before = performance.now() - REPLICA_KEPT_MS;
    for (const [url, { engine, users, usedAt }] of pools) {
      if (users > 0 || usedAt > before) continue;
      pools.delete(url);
      void engine.close();
    }
  };
  return {
    enter({ model, spoken }: LocalServed, url: string) {
      let pool = pools.get(url);
      if (pool === undefined) {
        closeUnused();
        const name = `local/${model}`;
        const remedy = `See what became of it with \`autocode model show ${model}\`.`;
        const address = `${url.replace(/\/+$/, '')}/v1`;
        const engine = upstreamEngine({
          name,
          url: address,
          protocols: spoken,
          apiKey: noKey,
          timeouts,
          remedy,
        });
        pool = { engine, users: 0, usedAt: 0 };
        pools.set(url, pool);
      }
      const { engine } = pool;
      const used = pool;
      used.users++;
      const leave = () => {
        used.users--;
        used.usedAt = performance.now();
      };
      return { engine, leave };
    },
    async close() {
      await Promise.all([...pools.values()].map(({ engine }) => engine.close()));
      pools.clear();
    },
  };
}

const noKey = async () => undefined;

// A key is read from the store at most every few seconds, so that a changed one is soon used.
function kept(read: () => Promise<string>): () => Promise<string> {
  let value: Promise<string> | undefined;
  let until = 0;
  return () => {
    if (value === undefined || Date.now() > until) {
      until = Date.now() + KEY_KEPT_MS;
      value = read();
      value.catch(() => (value = undefined));
    }
    return value;
  };
}

function notRun(model: string): AutocodeError {
  return new AutocodeError('ERR_ENGINE_UNAVAILABLE', `The model local/${model} is not run by this gateway.`, {
    remedy: 'Set models.local in the configuration of the process with the role gateway, and restart it.',
  });
}
