// Whether the API of this process gives any answer, over its own socket. Asked before systemd hears that the daemon lives.
import { openDataDirectory } from '../config/data-directory.ts';
import type { Config } from '../config/schema.ts';
import { lastPorts } from './ports.ts';

const PATIENCE_MS = 5_000;

/** Asks the API that was started with a configuration; where it has none, that this process runs is the answer. */
export function apiAnswers({ roles, api: { host }, dataDir }: Config): () => Promise<boolean> {
  if (!roles.includes('api')) return async () => true;
  const { api: port } = lastPorts(openDataDirectory(dataDir));
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}/api/v1/health`;
  return async () => {
    try {
      await (await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) })).text();
      return true;
    } catch {
      return false;
    }
  };
}
