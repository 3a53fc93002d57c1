// The models of each role that people set, ahead of those of the configuration: `autocode model role`. The catalogue reads
// them with each call, so they are kept in memory and read anew when somebody changed them.
import type { ModelRole, SetModelRole } from '../../protocol/local-model.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Database, Queryable } from '../db/connect.ts';
import { onNotify } from '../db/notifications.ts';
import type { Catalogue, ResolvedModel } from './catalogue.ts';
import { latestTests } from './conformance/results.ts';

export type SetRoles = Partial<Record<ModelRole['role'], string[]>>;

export interface RoleBook {
  current(): SetRoles;
  /** Reads them now. */
  refresh(): Promise<void>;
}

/** Keeps what people set, from now on; `failed` is told when it could not be read anew. */
export async function openRoleBook(db: Database, failed: (error: unknown) => void): Promise<RoleBook> {
  let current: SetRoles = {};
  const read = async () => {
    const { rows } = await db.query<{ role: ModelRole['role']; models: string[] }>(
      `select role, models from model_role`,
    );
    current = Object.fromEntries(rows.map(({ role, models }) => [role, models]));
  };
  // One after the other, so that what is read last is the latest.
  let reading = Promise.resolve();
  const refresh = () => (reading = reading.then(read, read));
  // Without a payload the connection was lost in between.
  await onNotify(db, 'models', (payload) => {
    if (payload === undefined || payload === CHANGED) refresh().catch(failed);
  });
  await refresh();
  return { current: () => current, refresh };
}

/** Of a notification that roles have changed. */
const CHANGED = 'roles';

export interface RoleParts {
  db: Queryable;
  catalogue: Pick<Catalogue, 'resolve' | 'roles'>;
  book: Pick<RoleBook, 'refresh'>;
}

/** Gives a role to models; every gateway goes by it at once. ERR_MODEL_UNSUITED where the first one has not passed its tests. */
export async function setRole(
  parts: RoleParts,
  role: ModelRole['role'],
  { models, force }: SetModelRole,
  actor: string,
): Promise<ModelRole> {
  const resolved = models.map(parts.catalogue.resolve);
  checkProtocols(role, resolved);
  const names = [...new Set(resolved.map(({ name }) => name))];
  if (!force && role !== 'embedding') await checkTests(parts.db, role, names);
  await parts.db.query(
    `insert into model_role (role, models, actor) values ($1, $2, $3)
     on conflict (role) do update set models = excluded.models, actor = excluded.actor, at = now()`,
    [role, JSON.stringify(names), actor],
  );
  return await changed(parts, role);
}

/** Gives the role back to the models of the configuration. */
export async function clearRole(parts: RoleParts, role: ModelRole['role']): Promise<ModelRole> {
  await parts.db.query(`delete from model_role where role = $1`, [role]);
  return await changed(parts, role);
}

async function changed({ db, book, catalogue }: RoleParts, role: ModelRole['role']): Promise<ModelRole> {
  await db.query(`select pg_notify('models', $1)`, [CHANGED]);
  await book.refresh();
  return catalogue.roles().find((each) => each.role === role) as ModelRole;
}

function checkProtocols(role: ModelRole['role'], models: ResolvedModel[]): void {
  const needed = role === 'embedding' ? 'embeddings' : 'chat';
  const unable = models.filter(({ protocols }) => !protocols.includes(needed));
  if (unable.length === 0) return;
  throw new AutocodeError(
    'ERR_MODEL_UNSUITED',
    `${unable.map(({ name }) => name).join(', ')} cannot have the role ${role}: no ${needed === 'chat' ? 'chat' : 'embeddings'} from there.`,
    { remedy: 'See the protocols of each model in `autocode model list`.' },
  );
}

/** The first model of a role is what agents get: it must have passed with every agent that it was last tested with. */
async function checkTests(db: Queryable, role: string, [first = '']: string[]): Promise<void> {
  const tests = await latestTests(db, first);
  const failed = tests.find(({ passed }) => !passed);
  if (tests.length > 0 && failed === undefined) return;
  const what =
    failed === undefined
      ? 'it was never tested'
      : `its test with ${failed.agent} failed: ${failed.checks
          .filter(({ passed }) => !passed)
          .map(({ name, detail }) => `${name} (${detail})`)
          .join('; ')}`;
  const agent = failed === undefined ? '' : ` --agent ${failed.agent}`;
  throw new AutocodeError('ERR_MODEL_UNSUITED', `${first} cannot come first in the role ${role}: ${what}.`, {
    remedy: `Test it with \`autocode model test ${first}${agent}\`, put another model first, or insist with --force.`,
  });
}
