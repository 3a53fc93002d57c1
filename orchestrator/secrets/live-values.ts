// The values of all secrets that are kept. Used by redaction/.
import { notRedactable } from './redactable.ts';
import type { SecretManager } from './secret-manager.ts';

export interface LiveValue {
  name: string;
  value: string;
}

/** Gives all that can be told from ordinary text, as it is now; each version is opened once. */
export function liveValues(secrets: SecretManager): () => Promise<LiveValue[]> {
  let opened = new Map<string, { version: number; value: string }>();
  return async () => {
    const now: typeof opened = new Map();
    for (const { name, version } of await secrets.list()) {
      const known = opened.get(name);
      const secret = known?.version === version ? known : await secrets.get(name);
      if (secret !== undefined) now.set(name, secret);
    }
    opened = now;
    return [...now]
      .map(([name, { value }]) => ({ name, value }))
      .filter(({ value }) => notRedactable(value) === null);
  };
}
