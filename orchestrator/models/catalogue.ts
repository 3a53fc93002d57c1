// The models that can be asked for: those of the configured engines and every recording. Used by gateway, API and claim.
import { basename } from 'node:path';
import { AutocodeError } from '../../protocol/errors.ts';
import { DIALOGUES, MODEL_ROLES } from '../../protocol/model.ts';
import type { Model, Price, Protocol } from '../../protocol/model.ts';
import type { Engine } from '../config/model-settings.ts';
import type { Config } from '../config/schema.ts';
import { findRecordings } from './recording.ts';
import { offered } from './translate/table.ts';

export interface CatalogueOptions {
  engines: Config['models']['engines'];
  /** `engine/model` for whoever names none. */
  default?: Config['models']['default'];
  /** The models of each role, the preferred one first. */
  roles?: Config['models']['roles'];
  ceilingPrice: Price;
  /** Where recordings lie, as `<name>.jsonl`; the first directory that has a name wins. */
  recordingDirectories: readonly string[];
}

/** A model with what is needed to call it. */
export type ResolvedModel = Omit<Model, 'isDefault' | 'roles'> & { serves: Served };

export type Served =
  | { kind: 'upstream'; engine: Extract<Engine, { kind: 'upstream' }>; model: string }
  | { kind: 'replay'; recording: string };

export interface Catalogue {
  list(): Model[];
  /** By `engine/model`, by the model's name alone where that is unique, or the default for '' and `default`. */
  resolve(name: string): ResolvedModel;
  /** The same, and for `autocode/<role>` all models of the role, to be tried one after the other. */
  ladder(name: string): ResolvedModel[];
}

/** What a name of a role begins with. */
const ALIAS = 'autocode/';

/** The engine that plays recordings is always there. */
const REPLAY = 'replay';
const FREE: Price = { input: 0, cached: 0, output: 0 };
const NO_MODEL =
  'Name one under models.engines in the configuration (docs/configuration.md), or try `autocode demo --model-url URL --model NAME`.';

/** The catalogue of a configuration. Recordings are looked up anew each time, so that a new one is there at once. */
export function catalogue(options: CatalogueOptions): Catalogue {
  const configured = options.engines.flatMap((engine) => modelsOf(engine, options.ceilingPrice));
  const all = () => [...configured, ...recordedModels(options.recordingDirectories)];
  // Every model call asks, mostly for a configured one by its whole name: that needs no look at the recordings.
  const resolved = (name: string) => configured.find((model) => model.name === name) ?? find(all(), name);

  const defaultModel = (): ResolvedModel => {
    const real = configured.filter((model) => model.kind === 'upstream');
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
  const roles = options.roles ?? {};
  const ladder = (name: string): ResolvedModel[] => {
    if (name === '' || name === 'default') return [defaultModel()];
    if (!name.startsWith(ALIAS)) return [resolved(name)];
    const rungs = rolesOf(roles).get(name.slice(ALIAS.length)) ?? [];
    if (rungs.length > 0) return rungs.map(resolved);
    const known = [...rolesOf(roles).keys()].map((role) => `${ALIAS}${role}`);
    throw new AutocodeError('ERR_MODEL_UNKNOWN', `No model has the role "${name}".`, {
      remedy: `${known.length === 0 ? 'No role has models' : `The roles are ${known.join(', ')}`}: name them under models.roles in the configuration.`,
    });
  };
  return {
    list() {
      const standard = attempt(defaultModel)?.name;
      const named = [...rolesOf(roles)];
      return all().map(({ serves: _, ...model }) => ({
        ...model,
        isDefault: model.name === standard,
        roles: named.filter(([, rungs]) => rungs.includes(model.name)).map(([role]) => role),
      }));
    },
    ladder,
    resolve: (name) => ladder(name)[0] as ResolvedModel,
  };
}

function rolesOf(roles: NonNullable<CatalogueOptions['roles']>): Map<string, string[]> {
  return new Map(MODEL_ROLES.flatMap((role) => (roles[role] === undefined ? [] : [[role, roles[role]]])));
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
    remedy: models.some((model) => model.kind === 'upstream') ? 'See `autocode model list`.' : NO_MODEL,
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
        : { price: ceilingPrice, priceSource: 'ceiling' };
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
