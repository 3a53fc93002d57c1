// The running engines behind the catalogue's models: one connection pool an upstream, one player a recording, made when
// first used. Used by the gateway.
import type { Served } from './catalogue.ts';
import type { Engine } from './engine/engine.ts';
import { replayEngine } from './engine/replay.ts';
import { upstreamEngine } from './engine/upstream.ts';
import type { UpstreamTimeouts } from './engine/upstream.ts';

/** What is needed of the secret store. */
export interface SecretReader {
  get(name: string): Promise<string>;
}

export interface Engines {
  of(serves: Served): Engine;
  close(): Promise<void>;
}

const KEY_KEPT_MS = 10_000;

/** Makes engines on demand and keeps them until `close`. */
export function engines(secrets: SecretReader, timeouts: Partial<UpstreamTimeouts> = {}): Engines {
  const running = new Map<string, Engine>();
  const make = (serves: Served): Engine => {
    if (serves.kind === 'replay') return replayEngine(serves.recording);
    const { name, url, protocols, apiKeySecret } = serves.engine;
    const apiKey = apiKeySecret === undefined ? async () => undefined : kept(() => secrets.get(apiKeySecret));
    return upstreamEngine({ name, url, protocols, apiKey, timeouts });
  };
  return {
    of(serves) {
      const id = serves.kind === 'replay' ? `replay ${serves.recording}` : `upstream ${serves.engine.name}`;
      const engine = running.get(id) ?? make(serves);
      running.set(id, engine);
      return engine;
    },
    async close() {
      await Promise.all([...running.values()].map((engine) => engine.close()));
      running.clear();
    },
  };
}

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
