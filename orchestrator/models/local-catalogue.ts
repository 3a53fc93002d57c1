// config/models.yaml: the models that the appliance may run itself. Read strictly, with the lines of what is wrong.
// Used by the supervisor, the gateway's catalogue, weights and the plan.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import { LocalModel } from '../../protocol/local-model.ts';
import type { FileProblem } from '../../protocol/project-file.ts';
import { MOST_PROBLEMS, parseStrictYaml, problem, problemsOf, told } from '../config/strict-yaml.ts';

/** What comes with the installation. */
export const SHIPPED_CATALOGUE = join(import.meta.dirname, '../../config/models.yaml');
/** Before a model's name where it is asked for among those of other engines. */
export const LOCAL = 'local/';

export const LocalCatalogue = z.strictObject({ models: z.array(LocalModel).max(200) });

const MAX_BYTES = 1 << 20;

/** The models of a file; throws everything that is wrong with it, each with its line. */
export function readLocalCatalogue(path: string): LocalModel[] {
  const { models, problems } = parseLocalCatalogue(bytesOf(path));
  if (problems.length === 0) return models;
  throw new AutocodeError('ERR_CONFIG', `The catalogue of models ${path} is not valid: ${told(problems)}`, {
    remedy:
      'Mend it; docs/models.md says what an entry may have, docs/models.schema.json lets editors check it.',
    details: { path, problems },
  });
}

/** The models that a text tells of, or what is wrong with it. */
export function parseLocalCatalogue(bytes: Uint8Array): { models: LocalModel[]; problems: FileProblem[] } {
  const yaml = parseStrictYaml(bytes, MAX_BYTES);
  if ('problems' in yaml) return { models: [], problems: yaml.problems };
  const result = LocalCatalogue.safeParse(yaml.document.toJS({ maxAliasCount: 0 }) ?? {});
  const problems = result.success
    ? contradictions(result.data.models, (at, key) => yaml.lineOfKey(['models', at, key]))
    : problemsOf(result.error.issues, yaml, Object.keys(LocalCatalogue.shape));
  return {
    models: result.success && problems.length === 0 ? result.data.models : [],
    problems: problems.slice(0, MOST_PROBLEMS),
  };
}

// What a schema cannot say: what entries say of each other.
function contradictions(
  models: LocalModel[],
  lineOf: (at: number, key: string) => number | null,
): FileProblem[] {
  const byName = new Map(models.map((model) => [model.name, model]));
  return models.flatMap((model, at) => {
    const wrong = (key: string, message: string, remedy: string) =>
      problem(lineOf(at, key), `models.${at}.${key}`, `\`${model.name}\`: ${message}`, remedy);
    const first = models.findIndex(({ name }) => name === model.name);
    if (first !== at)
      return [wrong('name', 'There is a model of this name before.', 'Each needs one of its own.')];
    const found: FileProblem[] = [];
    if (model.replicas.min > model.replicas.max)
      found.push(wrong('replicas', 'It has more replicas at least than at most.', 'Make `max` larger.'));
    for (const name of model.fallback.map(localName)) {
      if (name === undefined) continue;
      const other = byName.get(name);
      if (other === undefined)
        found.push(wrong('fallback', `There is no model \`${name}\` to fall back to.`, knownNames(models)));
      else if (other.task !== model.task)
        found.push(wrong('fallback', `\`${name}\` is for another task (${other.task}).`, 'Name another.'));
    }
    if (reaches(model, model.name, byName))
      found.push(wrong('fallback', 'It falls back to itself in the end.', 'Leave out one of the steps.'));
    return found;
  });
}

/** A fallback's name in this catalogue; undefined for a model of another engine, as `engine/model`. */
function localName(name: string): string | undefined {
  if (name.startsWith(LOCAL)) return name.slice(LOCAL.length);
  return name.includes('/') ? undefined : name;
}

function reaches(from: LocalModel, target: string, byName: ReadonlyMap<string, LocalModel>): boolean {
  const seen = new Set<string>();
  const open = [from];
  for (let model = open.pop(); model !== undefined; model = open.pop()) {
    for (const name of model.fallback.map(localName)) {
      if (name === target) return true;
      const next = name === undefined || seen.has(name) ? undefined : byName.get(name);
      if (next === undefined) continue;
      seen.add(next.name);
      open.push(next);
    }
  }
  return false;
}

const knownNames = (models: LocalModel[]) => `The models are ${models.map(({ name }) => name).join(', ')}.`;

function bytesOf(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new AutocodeError(
      'ERR_CONFIG',
      `The catalogue of models ${path} cannot be read: ${(cause as Error).message}.`,
      { remedy: 'Make the file, or leave `models.local.catalogue` out for the one that is shipped.', cause },
    );
  }
}
