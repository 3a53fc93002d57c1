// The supervisor with the real engines and GPUs behind it, from the configuration. Imported by main.ts where models.local is set.
import { isIP } from 'node:net';
import type { ManagedEngineKind } from '../../../protocol/local-model.ts';
import { inheritedEnvironment } from '../../config/client-environment.ts';
import type { LocalModels } from '../../config/local-model-settings.ts';
import type { Database } from '../../db/connect.ts';
import type { ManagedEngine } from '../engine/managed.ts';
import { ollamaEngine } from '../engine/ollama.ts';
import { rayServeEngine } from '../engine/ray-serve.ts';
import { vllmEngine } from '../engine/vllm.ts';
import { startGpuWatch } from '../gpu/watch.ts';
import { readLocalCatalogue, SHIPPED_CATALOGUE } from '../local-catalogue.ts';
import type { Supervisor } from './acquired.ts';
import type { FleetLog } from './fleet.ts';
import { startSupervisor } from './supervisor.ts';

interface OpenOptions {
  settings: LocalModels;
  db: Database;
  log: FleetLog;
  /** Where weights are when the configuration does not say. */
  weights: string;
  /** Directory of the engines' logs. */
  logs: string;
}

/** Reads the catalogue and starts the supervisor. */
export async function openSupervisor({ settings, db, log, weights, logs }: OpenOptions): Promise<Supervisor> {
  const warn = (message: string, fields: object = {}) => log.warn(message, { part: 'models', ...fields });
  const engines = new Map<ManagedEngineKind, ManagedEngine>();
  const make = (kind: ManagedEngineKind): ManagedEngine => {
    if (kind === 'ollama') return ollamaEngine(settings.ollama);
    if (kind === 'ray-serve') return rayServeEngine(settings.ray);
    return vllmEngine({ program: settings.vllm, logs, environment: inheritedEnvironment(), warn });
  };
  return await startSupervisor({
    db,
    log: { info: (message, fields) => log.info(message, fields), warn },
    settings,
    models: readLocalCatalogue(settings.catalogue ?? SHIPPED_CATALOGUE),
    weights: settings.weights ?? weights,
    engineOf(kind) {
      const engine = engines.get(kind) ?? make(kind);
      engines.set(kind, engine);
      return engine;
    },
    elsewhere: (kind) =>
      (kind === 'ray-serve' && !isHere(settings.ray.address)) ||
      (kind === 'ollama' && !isHere(settings.ollama.url)),
    watchGpus: (own) => startGpuWatch({ settings, db, own, warn }),
  });
}

function isHere(address: string): boolean {
  const { hostname } = new URL(address);
  return (
    hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'))
  );
}
