// The configuration that the daemon works with beside what its file says by now: told key by key, changed in the file. Used by the
// API and the status.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import type { Setting, Settings, SettingsPatch } from '../../protocol/settings.ts';
import type { PartHealth } from '../../protocol/status.ts';
import { configKeys, valueAt, type ConfigKey } from './keys.ts';
import { readConfig, type ConfigSources, type LoadedConfig } from './load.ts';
import type { Mistake } from './mistakes.ts';
import type { Config } from './schema.ts';
import { changeSettingsFile, obstacleTo, readSettingsFile } from './settings-file.ts';
import { maskPassword } from './show.ts';
import { contentOf } from './yaml-edit.ts';

const TOLD_KEYS = 10;

/** All but what the process has to tell. */
export type ToldSettings = Omit<Settings, 'restart' | 'startedAt'>;

/** What a daemon was started with. */
export interface RunningSettings {
  readonly config: Config;
  /** Every key, as it is and as it would be after a start. */
  describe(): ToldSettings;
  /** Changes the file; mistakes are told all at once, and then nothing is changed. */
  change(patch: SettingsPatch): Promise<ToldSettings>;
  /** That something is only written down yet, or could not be taken; undefined where the file says what holds. */
  health(): PartHealth | undefined;
  /** Notes that a start with what the file says failed: these go on to hold. */
  couldNotTake(error: Error): void;
}

// What the file said when it was last looked at.
interface Seen {
  version: string;
  content: unknown;
  next: { mistakes: Mistake[]; loaded?: LoadedConfig };
}

/** The settings of a daemon that was started with `loaded`, which came from `sources`. */
export function runningSettings(loaded: LoadedConfig, sources: ConfigSources): RunningSettings {
  const { config, fixedBy, sourceOf } = loaded;
  const file = loaded.file ?? join(config.dataDir, 'config/autocode.yaml');
  const keys = configKeys();
  const schemas = new Map<string, Record<string, unknown>>();
  let seen: Seen | undefined;
  let failure: string | undefined;

  const look = (): Seen => {
    const { text, version } = readSettingsFile(file);
    if (seen?.version !== version)
      seen = { version, content: contentIn(text), next: readConfig({ ...sources, file, text }) };
    return seen;
  };
  const pendingOf = (key: ConfigKey, next: Config | undefined): Setting['pending'] => {
    if (next === undefined) return null;
    const value = valueAt(next, key.path);
    return isDeepStrictEqual(value, valueAt(config, key.path)) ? null : { value: shown(key, value) };
  };
  const describe = (): ToldSettings => {
    const { version, next, content } = look();
    return {
      version,
      file,
      exists: existsSync(file),
      readOnly: obstacleTo(file),
      mistakes: next.mistakes,
      failure: failure ?? null,
      keys: keys.map((key) => ({
        path: key.path,
        group: key.path.includes('.') ? key.path.split('.')[0]! : 'general',
        description: key.description,
        schema: schemaOf(key, schemas),
        value: shown(key, valueAt(config, key.path)),
        default: key.meta.shownDefault === undefined ? (key.defaultValue ?? null) : null,
        defaultMeans: key.meta.shownDefault ?? null,
        secret: key.meta.secret === true,
        source: sourceOf(key.path),
        fixedBy: fixedBy(key.path) ?? null,
        inFile: valueAt(content, key.path) !== undefined,
        pending: pendingOf(key, next.loaded?.config),
      })),
    };
  };
  return {
    config,
    describe,
    async change({ version, set, unset }) {
      await changeSettingsFile({ ...sources, file }, { version, set, unset, fixedBy });
      failure = undefined;
      return describe();
    },
    health() {
      try {
        const { mistakes, loaded: next } = look().next;
        const changed = keys.filter((key) => pendingOf(key, next?.config) !== null).map(({ path }) => path);
        return healthOf(changed, mistakes, failure);
      } catch (error) {
        return { name: 'configuration', state: 'degraded', detail: (error as Error).message };
      }
    },
    couldNotTake({ message }) {
      failure = message;
    },
  };
}

// What is only written down yet is told, or somebody would wonder why it does not hold.
function healthOf(
  changed: string[],
  mistakes: Mistake[],
  failure: string | undefined,
): PartHealth | undefined {
  const [first] = mistakes;
  const degraded = (detail: string) => ({ name: 'configuration', state: 'degraded' as const, detail });
  if (first !== undefined)
    return degraded(`the daemon would not start again: ${first.where}: ${first.path} ${first.message}`);
  if (failure !== undefined) return degraded(`the last restart could not take what has changed: ${failure}`);
  if (changed.length === 0) return undefined;
  const keys = `${changed.slice(0, TOLD_KEYS).join(', ')}${changed.length > TOLD_KEYS ? ', …' : ''}`;
  return degraded(`changed since the start: ${keys}; holds from the next start`);
}

function contentIn(text: string): unknown {
  const document = parseDocument(text, { prettyErrors: false });
  return document.errors.length === 0 ? contentOf(document) : {};
}

function shown(key: ConfigKey, value: unknown): unknown {
  return (key.meta.secret === true && typeof value === 'string' ? maskPassword(value) : value) ?? null;
}

function schemaOf(key: ConfigKey, made: Map<string, Record<string, unknown>>): Record<string, unknown> {
  const known = made.get(key.path);
  if (known !== undefined) return known;
  const { $schema: _, $ref, ...schema } = z.toJSONSchema(key.schema as z.ZodType, { io: 'input' });
  // One with a name of its own is only referred to.
  const whole = $ref === undefined ? schema : schema.$defs?.[$ref.replace('#/$defs/', '')];
  made.set(key.path, whole as Record<string, unknown>);
  return whole as Record<string, unknown>;
}
