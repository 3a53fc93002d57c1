// `config show`: each key with its value and where that is from. Used by the CLI.
import { configKeys, valueAt } from './keys.ts';
import type { LoadedConfig } from './load.ts';

export interface ShownKey {
  path: string;
  value: unknown;
  source: string;
}

/** All keys of a loaded configuration; what is secret in a value is masked. */
export function showConfig(loaded: LoadedConfig): ShownKey[] {
  return configKeys().map((key) => {
    const value = valueAt(loaded.config, key.path);
    const masked = key.meta.secret === true && typeof value === 'string' ? maskPassword(value) : value;
    return { path: key.path, value: masked, source: loaded.sourceOf(key.path) };
  });
}

/** A URL without its password, wherever in it that is written. */
export function maskPassword(url: string): string {
  return url
    .replace(/(:\/\/[^/?#@:]*):[^/?#]*@/, '$1:***@')
    .replace(/([?&](?:ssl)?password=)[^&#]*/gi, '$1***');
}
