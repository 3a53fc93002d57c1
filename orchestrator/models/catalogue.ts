// The models that can be asked for: those of the configured engines, those that the appliance runs itself, and every
// recording. Used by gateway, API and claim.
import { basename } from 'node:path';
import { AutocodeError } from '../../protocol/errors.ts';
import type { LocalModel, ModelRole } from '../../protocol/local-model.ts';
import { DIALOGUES, MODEL_ROLES } from '../../protocol/model.ts';
import type { Model, Price, Protocol } from '../../protocol/model.ts';
import type { LocalModels } from '../config/local-model-settings.ts';
import type { Engine } from '../config/model-settings.ts';
import type { Config } from '../config/schema.ts';
import { BY_GPU, localModels, localName } from './local-served.ts';
import { outsideHost } from './outside.ts';
import { findRecordings } from './recording.ts';
import type { SetRoles } from './roles.ts';
import { offered } from './translate/table.ts';

export interface CatalogueOptions {
  engines: Config['models']['engines'];
  /** `engine/model` for whoever names none. */
  default?: Config['models']['default'];
  /** The models of each role, the preferred one first; those that people set go before these. */
  roles?: Config['models']['roles'];
  setRoles?: () => SetRoles;
  /** Models that the appliance runs itself, and what its GPUs cost. */
  own?: { models: readonly LocalModel[]; gpu: LocalModels['gpu'] };
  ceilingPrice: Price;
  /** Where recordings lie, as `<name>.jsonl`; the first directory that has a name wins. */
  recordingDirectories: readonly string[];
}

/** A model with what is needed to call it. */
export type ResolvedModel = Omit<Model, 'isDefault' | 'roles' | 'external'> & { serves: Served };

/** By an engine of the appliance's own. */
export interface LocalServed {
  kind: 'local';
  model: string;
  /** What the engine speaks itself. */
  spoken: readonly Protocol[];
  /** Tokens of prompt and answer together. */
  context: number;
  /** What its GPUs cost. */
  gpu: LocalModels['gpu'];
}

export type Served =
  | { kind: 'upstream'; engine: Extract<Engine, { kind: 'upstream' }>; model: string }
  | LocalServed
  | { kind: 'replay'; recording: string };

export interface Catalogue {
  list(): Model[];
  /** By `engine/model`, by the model's name alone where that is unique, or the default for '' and `default`. */
  resolve(name: string): ResolvedModel;
  /** The same with those that stand in for it, and for `autocode/<role>` all models of the role, to be tried one after the other. */
  ladder(name: string): ResolvedModel[];
  /** All roles with their models. */
  roles(): ModelRole[];
}

/** What a name of a role begins with. */
export const ALIAS = 'autocode/';

/** The engine that plays recordings is always there. */
const REPLAY = 'replay';
const FREE: Price = { input: 0, cached: 0, output: 0 };
const NO_MODEL =
  'Name one under models.engines in the configuration (docs/configuration.md), or try `autocode demo --model-url URL --model NAME`.';

/** The catalogue of a configuration. Recordings are looked up anew each time, so that a new one is there at once. */
export function catalogue(options: CatalogueOptions): Catalogue {
  const own = options.own?.models ?? [];
  const configured = [
    ...options.engines.flatMap((engine) => modelsOf(engine, options.ceilingPrice)),
    ...(options.own === undefined ? [] : localModels(own, options.own.gpu, atCeiling(options.ceilingPrice))),
  ];
  const all = () => [...configured, ...recordedModels(options.recordingDirectories)];
  // Every model call asks, mostly for a configured one by its whole name: that needs no look at the recordings.
  const resolved = (name: string) => configured.find((model) => model.name === name) ?? find(all(), name);

  const defaultModel = (): ResolvedModel => {
    const real = configured.filter((model) => model.kind !== 'replay');
    if (options.default !== undefined && options.default !== '') return resolved(options.default);
    if (real.length === 1) return real[0] as ResolvedModel;
    if (real.length === 0)
      throw new AutocodeError('ERR_NO_MODEL', 'No model is configured.', { remedy: NO_MODEL });
    throw new AutocodeError(
      'ERR_NO_MODEL',
      `No model was asked for, and none of ${named(real)} is the default.`,
      {
        remedy: 'Name it as models.default in the configuration, or give the task a model.',
      },
    );
  };
  const roles = () => rolesOf(options);
  const ladder = (name: string): ResolvedModel[] => {
    if (name === '' || name === 'default') return withFallbacks(defaultModel());
    if (!name.startsWith(ALIAS)) return withFallbacks(resolved(name));
    const rungs = roles().find(({ role }) => role === name.slice(ALIAS.length))?.models ?? [];
    // A model that was taken out of the configuration since people gave it the role is passed over.
    const there = rungs.flatMap((rung) => attempt(() => resolved(rung)) ?? []);
    if (there.length > 0) return there;
    if (rungs.length > 0) return rungs.map(resolved);
    const known = roles().flatMap(({ role, models }) => (models.length > 0 ? [`${ALIAS}${role}`] : []));
    throw new AutocodeError('ERR_MODEL_UNKNOWN', `No model has the role "${name}".`, {
      remedy: `${known.length === 0 ? 'No role has models' : `The roles are ${known.join(', ')}`}: name them under models.roles in the configuration, or with \`autocode model role\`.`,
    });
  };
  const standIns = new Map(own.map((model) => [localName(model.name), model.fallback.map(wholeName)]));
  const withFallbacks = (model: ResolvedModel): ResolvedModel[] => {
    const rungs = [model];
    for (const { name } of rungs) {
      const next = (standIns.get(name) ?? []).map(resolved);
      rungs.push(...next.filter((one) => rungs.every((rung) => rung.name !== one.name)));
    }
    return rungs;
  };
  for (const name of standIns.keys())
    checked(`What stands in for ${name} is wrong`, () => withFallbacks(resolved(name)));
  // What the configuration cannot know by itself: which models the catalogue of the appliance's own has.
  const configuredRoles = Object.values(options.roles ?? {}).flatMap((names) => names ?? []);
  for (const name of [options.default ?? '', ...configuredRoles])
    if (name.startsWith(localName('')))
      checked('models.default or models.roles is wrong', () => resolved(name));
  return {
    list() {
      const standard = attempt(defaultModel)?.name;
      const named = roles();
      return all().map(({ serves, ...model }) => ({
        ...model,
        external: outsideHost(serves) !== undefined,
        isDefault: model.name === standard,
        roles: named.filter(({ models }) => models.includes(model.name)).map(({ role }) => role),
      }));
    },
    ladder,
    resolve: (name) => ladder(name)[0] as ResolvedModel,
    roles,
  };
}

/** Set by people, else by the configuration, else by the catalogue of the models of the appliance's own. */
function rolesOf({ setRoles, roles = {}, own }: CatalogueOptions): ModelRole[] {
  const set = setRoles?.() ?? {};
  return MODEL_ROLES.map((role): ModelRole => {
    if (set[role] !== undefined) return { role, models: set[role], source: 'set' };
    if (roles[role] !== undefined) return { role, models: roles[role], source: 'configuration' };
    const entries = own?.models.filter((model) => model.roles.includes(role)) ?? [];
    return { role, models: entries.map(({ name }) => localName(name)), source: 'catalogue' };
  });
}

/** In the catalogue of the appliance's own models a name alone is that of another one. */
const wholeName = (name: string) => (name.includes('/') ? name : localName(name));

function checked(what: string, look: () => unknown): void {
  try {
    look();
  } catch (cause) {
    throw new AutocodeError('ERR_CONFIG', `${what}: ${(cause as AutocodeError).message}`, {
      remedy: 'Change it, or the catalogue of models (models.local.catalogue, docs/models.md).',
      cause,
    });
  }
}

function find(models: ResolvedModel[], name: string): ResolvedModel {
  const exact = models.find((model) => model.name === name);
  if (exact !== undefined) return exact;
  const alike = models.filter((model) => model.name.slice(model.engine.length + 1) === name);
  if (alike.length === 1) return alike[0] as ResolvedModel;
  if (alike.length > 1) {
    throw new AutocodeError('ERR_MODEL_UNKNOWN', `Several engines serve "${name}".`, {
      remedy: `Ask for one of ${named(alike)}.`,
    });
  }
  const known = models.length === 0 ? 'None is configured.' : `The models are ${named(models)}.`;
  throw new AutocodeError('ERR_MODEL_UNKNOWN', `There is no model "${name}". ${known}`, {
    remedy: models.some((model) => model.kind !== 'replay') ? 'See `autocode model list`.' : NO_MODEL,
  });
}

function modelsOf(engine: Engine, ceilingPrice: Price): ResolvedModel[] {
  const models: Engine['models'] =
    engine.kind === 'replay' && engine.models.length === 0
      ? [{ name: basename(engine.recording, '.jsonl') }]
      : engine.models;
  return models.map((model) => {
    const { price, upstreamModel = model.name } = model;
    const unpriced: Pick<Model, 'price' | 'priceSource'> =
      engine.kind === 'replay'
        ? { price: FREE, priceSource: 'recording' }
        : engine.gpu === undefined
          ? atCeiling(ceilingPrice)
          : BY_GPU;
    return {
      name: `${engine.name}/${model.name}`,
      engine: engine.name,
      kind: engine.kind,
      protocols: engine.kind === 'replay' ? engine.protocols : offered(engine.protocols),
      ...(price === undefined ? unpriced : { price, priceSource: 'configured' as const }),
      serves:
        engine.kind === 'replay'
          ? { kind: 'replay', recording: engine.recording }
          : { kind: 'upstream', engine, model: upstreamModel },
    };
  });
}

function atCeiling(price: Price): Pick<Model, 'price' | 'priceSource'> {
  return { price, priceSource: 'ceiling' };
}

function recordedModels(directories: readonly string[]): ResolvedModel[] {
  return [...findRecordings(directories)].map(([name, recording]) => ({
    name: `${REPLAY}/${name}`,
    engine: REPLAY,
    kind: 'replay',
    protocols: [...DIALOGUES] satisfies Protocol[],
    price: FREE,
    priceSource: 'recording',
    serves: { kind: 'replay', recording },
  }));
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

const named = (models: ResolvedModel[]) => models.map((model) => model.name).join(', ');
