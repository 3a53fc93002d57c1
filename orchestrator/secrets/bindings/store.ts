// Bindings as they are kept: which secret goes where, for which project. Used by the API and by ../leases/.
import { AutocodeError } from '../../../protocol/errors.ts';
import type { SecretBinding } from '../../../protocol/secret-binding.ts';
import type { Queryable } from '../../db/connect.ts';
import { emit } from '../../events/outbox.ts';

/** A binding that was checked: its rule is canonical. */
export interface NewBinding {
  secret: string;
  project: number | null;
  rule: string;
  plain: boolean;
  place: string;
  variable: string;
}

const SHOWN = `select b.id::int, b.secret, p.name as project, b.rule, b.plain, b.place, b.variable, b.author, b.at
  from secret_binding b left join project p on p.id = b.project`;

/** Those of a project, with those of all; all there are without one. */
export async function listBindings(db: Queryable, project: number | null): Promise<SecretBinding[]> {
  const { rows } = await db.query<SecretBinding & { at: Date }>(
    `${SHOWN} where $1::bigint is null or b.project is null or b.project = $1 order by b.id`,
    [project],
  );
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
}

/** Binds a secret; the same binding again is the one that is there. ERR_CONFLICT where its variable stands for another. In a transaction. */
export async function bind(tx: Queryable, binding: NewBinding, author: string): Promise<SecretBinding> {
  const { secret, project, rule, plain, place, variable } = binding;
  await tx.query('lock table secret_binding in share row exclusive mode');
  const { rows: others } = await tx.query<{ secret: string }>(
    `select secret from secret_binding where variable = $1 and secret <> $2
     and (project is null or $3::bigint is null or project = $3) limit 1`,
    [variable, secret, project],
  );
  if (others[0] !== undefined)
    throw new AutocodeError(
      'ERR_CONFLICT',
      `${variable} stands for the secret ${others[0].secret} already.`,
      {
        remedy: 'Choose another variable, or remove that binding: `autocode secret bindings`.',
      },
    );
  const { rows } = await tx.query<{ id: number; made: boolean }>(
    `insert into secret_binding (project, secret, rule, plain, place, variable, author) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (coalesce(project, 0), secret, rule, place, variable) do update set plain = excluded.plain
     returning id::int, xmax = 0 as made`,
    [project, secret, rule, plain, place, variable, author],
  );
  const { id, made } = rows[0]!;
  if (made) await tell(tx, 'secret.bound', project, { id, secret, rule, place, variable, by: author });
  return (await listBindings(tx, null)).find((each) => each.id === id)!;
}

/** Removes a binding; runs have it no more from then on. In a transaction. */
export async function unbind(tx: Queryable, id: number, author: string): Promise<SecretBinding> {
  const binding = (await listBindings(tx, null)).find((each) => each.id === id);
  const { rows } = await tx.query<{ project: number | null }>(
    'delete from secret_binding where id = $1 returning project::int',
    [id],
  );
  if (binding === undefined || rows[0] === undefined)
    throw new AutocodeError('ERR_NOT_FOUND', `There is no binding ${id}.`, {
      remedy: 'See `autocode secret bindings`.',
    });
  await tell(tx, 'secret.unbound', rows[0].project, { id, secret: binding.secret, by: author });
  return binding;
}

/** The variables that a run has a placeholder in, and the secret that each stands for. */
export async function variablesOf(
  db: Queryable,
  run: string,
): Promise<{ variable: string; secret: string }[]> {
  const { rows } = await db.query<{ variable: string; secret: string }>(
    `select distinct b.variable, b.secret from run r join task t on t.id = r.task
     join secret_binding b on b.project is null or b.project = t.project where r.id = $1`,
    [run],
  );
  return rows;
}

async function tell(
  tx: Queryable,
  kind: 'secret.bound' | 'secret.unbound',
  project: number | null,
  data: Record<string, unknown>,
): Promise<void> {
  await emit(tx, { kind, ...(project === null ? {} : { project }), data });
}
