// An engine as it is typed, and as the configuration has it. The key of an engine is a secret: the file has its name alone.
import type { Price } from '../../../protocol/model.ts';
import type { Setting, Settings, SettingsPatch } from '../../../protocol/settings.ts';
import { get, send } from '../api/client.ts';

export type Speaks = 'chat' | 'responses' | 'messages';

/** As it stands in the fields. */
export interface TypedEngine {
  name: string;
  url: string;
  protocols: Speaks[];
  models: string;
  key: string;
  priceIn: string;
  priceOut: string;
  isDefault: boolean;
}

export const NO_ENGINE: TypedEngine = {
  name: '',
  url: '',
  protocols: ['chat'],
  models: '',
  key: '',
  priceIn: '',
  priceOut: '',
  isDefault: true,
};

/** An entry of `models.engines`, as far as it is made here. */
export interface EngineEntry {
  kind: 'upstream';
  name: string;
  url: string;
  protocols: Speaks[];
  apiKeySecret?: string;
  models: { name: string; upstreamModel?: string; price?: Price }[];
}

/** The secret that keeps the key of an engine. */
export const secretOf = (engine: string) => `engine-${engine}`;

/** A name for what is at an address, as `api.example.com` or `10.0.0.5-8000`. */
export function engineName(url: string): string {
  const host = URL.parse(url.trim())?.host ?? '';
  return host
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .slice(0, 63);
}

/** The entry of what was typed. A model is asked for by the last part of the name that its server knows it by. */
export function engineOf(typed: TypedEngine): EngineEntry {
  const name = typed.name.trim();
  const names = typed.models.split(/[\s,]+/).filter((each) => each !== '');
  const [input, output] = [typed.priceIn, typed.priceOut].map((text) => text.trim());
  const price =
    input === '' || output === ''
      ? undefined
      : { input: Number(input), cached: Number(input), output: Number(output) };
  return {
    kind: 'upstream',
    name,
    url: typed.url.trim().replace(/\/+$/, '').replace(/\/v1$/, ''),
    protocols: typed.protocols,
    ...(typed.key.trim() === '' ? {} : { apiKeySecret: secretOf(name) }),
    models: names.map((upstream) => {
      const own = upstream.replace(/^.*\//, '');
      return {
        name: own,
        ...(own === upstream ? {} : { upstreamModel: upstream }),
        ...(price === undefined ? {} : { price }),
      };
    }),
  };
}

const settingOf = (settings: Settings, path: string): Setting | undefined =>
  settings.keys.find((key) => key.path === path);
/** What holds from the next start. */
export const nextOf = (settings: Settings, path: string): unknown => {
  const setting = settingOf(settings, path);
  return setting?.pending === null || setting === undefined ? setting?.value : setting.pending.value;
};

/** The engines that the next start has, by their entries. */
export function enginesOf(settings: Settings): { name: string }[] {
  return (nextOf(settings, 'models.engines') as { name: string }[] | null) ?? [];
}

/** What is changed of the configuration: the engine comes in place of one of its name, else behind the others. */
export function patchFor(settings: Settings, engine: EngineEntry, isDefault: boolean): SettingsPatch {
  const others = enginesOf(settings).filter(({ name }) => name !== engine.name);
  const first = `${engine.name}/${engine.models[0]!.name}`;
  return {
    version: settings.version,
    set: { 'models.engines': [...others, engine], ...(isDefault ? { 'models.default': first } : {}) },
    unset: [],
  };
}

/** Keeps the key and writes the engine into the configuration; what that is afterwards. */
export async function addEngine(typed: TypedEngine): Promise<Settings> {
  const engine = engineOf(typed);
  const settings = await get<Settings>('/settings');
  if (engine.apiKeySecret !== undefined)
    await send('PUT', `/secrets/${engine.apiKeySecret}`, { value: typed.key.trim() });
  return await send<Settings>('PATCH', '/settings', patchFor(settings, engine, typed.isDefault));
}
