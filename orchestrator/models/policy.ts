// What the agents of a project may ask models for. Used by the API; the gateway reads it with each key.
import { AutocodeError } from '../../protocol/errors.ts';
import type { ModelPolicyPatch } from '../../protocol/model.ts';
import { ModelPolicy } from '../../protocol/model.ts';
import type { Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';
import type { Catalogue } from './catalogue.ts';

/** The policy of a project. */
export async function getPolicy(db: Queryable, project: string): Promise<ModelPolicy> {
  const { rows } = await db.query(`select model_policy from project where name = $1`, [project]);
  if (rows[0] === undefined) throw noProject(project);
  return ModelPolicy.parse(rows[0].model_policy);
}

/** Changes what the patch names; running agents go by it within seconds. */
export async function updatePolicy(
  db: Queryable,
  catalogue: Pick<Catalogue, 'list'>,
  project: string,
  patch: ModelPolicyPatch,
): Promise<ModelPolicy> {
  checkModels(catalogue, patch.allow ?? []);
  const { rows } = await db.query(
    `update project set model_policy = model_policy || $2 where name = $1 and archived_at is null returning id, model_policy`,
    [project, JSON.stringify(patch)],
  );
  if (rows[0] === undefined) throw noProject(project);
  await emit(db, { kind: 'project.changed', project: rows[0].id, data: { changed: ['modelPolicy'] } });
  return ModelPolicy.parse(rows[0].model_policy);
}

/** That there are models and roles of these names. */
export function checkModels(catalogue: Pick<Catalogue, 'list'>, names: readonly string[]): void {
  const models = catalogue.list();
  const known = [
    ...models.map(({ name }) => name),
    ...new Set(models.flatMap(({ roles }) => roles.map((role) => `autocode/${role}`))),
  ];
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw new AutocodeError('ERR_MODEL_UNKNOWN', `There is no model "${unknown.join('", "')}".`, {
    remedy: `Allow some of ${known.join(', ')}.`,
  });
}

function noProject(name: string): AutocodeError {
  return new AutocodeError('ERR_NOT_FOUND', `There is no project ${name}.`, {
    remedy: 'See `autocode project list`.',
  });
}
