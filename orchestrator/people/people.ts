// People: made, shown, given rights, disabled. Used by the API and by the sign-in through a provider.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Person, PersonInput, PersonPatch, PersonRole } from '../../protocol/person.ts';
import { sqlState, type Queryable } from '../db/connect.ts';
import { withinTransaction } from '../db/within-transaction.ts';
import { emit } from '../events/outbox.ts';
import { setEmail } from './email.ts';
import { endSessions } from './sessions.ts';

const UNIQUE_VIOLATION = '23505';

const SELECT = `select p.id, p.name, p.role, p.email, p.email_verified_at is not null as "emailConfirmed",
    p.email_by_provider as "emailByProvider", p.issuer as provider, p.password is not null as password,
    coalesce((select jsonb_object_agg(q.name, r.role) from person_role r join project q on q.id = r.project
      where r.person = p.id), '{}') as projects,
    (select count(*) from session s where s.person = p.id and s.ended_at is null and s.expires_at > now()) as sessions,
    (select max(last_seen_at) from session s where s.person = p.id) as seen,
    p.created_by as "createdBy", p.created_at as made, p.disabled_at as disabled
  from person p`;

type Row = Omit<Person, 'createdAt' | 'disabledAt' | 'lastSeenAt'> & {
  made: Date;
  disabled: Date | null;
  seen: Date | null;
};

/** All people, by name. */
export async function listPeople(db: Queryable): Promise<Person[]> {
  const { rows } = await db.query<Row>(`${SELECT} order by p.name`);
  return rows.map(shown);
}

/** One person; ERR_NOT_FOUND. */
export async function getPerson(db: Queryable, name: string): Promise<Person> {
  const { rows } = await db.query<Row>(`${SELECT} where p.name = $1`, [name]);
  if (rows[0] === undefined) throw personNotFound(name);
  return shown(rows[0]);
}

/** Makes a person, who has no password yet; ERR_CONFLICT when the name is taken. */
export async function createPerson(
  db: Queryable,
  { name, role, projects, email = null }: Omit<PersonInput, 'email'> & { email?: string | null },
  by: string,
): Promise<Person> {
  return await withinTransaction(db, async (tx) => {
    const { rows } = await tx
      .query<{ id: number }>(`insert into person (name, role, created_by) values ($1, $2, $3) returning id`, [
        name,
        role,
        by,
      ])
      .catch((error: unknown) => {
        if (sqlState(error) !== UNIQUE_VIOLATION) throw error;
        throw new AutocodeError('ERR_CONFLICT', `There is a person ${name} already.`, {
          remedy: `Take another name, or change that person with \`autocode user set ${name}\`.`,
        });
      });
    await setProjectRoles(tx, rows[0]!.id, projects);
    if (email !== null) await setEmail(tx, rows[0]!.id, email, 'admin');
    await emit(tx, { kind: 'person.created', data: { person: name, role, projects, by } });
    return await getPerson(tx, name);
  });
}

/** Changes what a person may do. Who is disabled is signed out; streams that are open with other rights end. */
export async function updatePerson(
  db: Queryable,
  name: string,
  { email, ...patch }: PersonPatch,
  by: string,
): Promise<Person> {
  return await withinTransaction(db, async (tx) => {
    const { rows } = await tx.query<{ id: number }>(
      `update person set rights = rights + 1, role = case when $2 then $3 else role end,
         disabled_at = case when $4 then coalesce(disabled_at, now()) when not $4 then null else disabled_at end
       where name = $1 returning id`,
      [name, patch.role !== undefined, patch.role ?? null, patch.disabled ?? null],
    );
    const id = rows[0]?.id;
    if (id === undefined) throw personNotFound(name);
    await setProjectRoles(tx, id, patch.projects ?? {});
    if (email !== undefined) await setEmail(tx, id, email, 'admin');
    if (patch.disabled === true) await endSessions(tx, id, 'disabled');
    await emit(tx, { kind: 'person.changed', data: { person: name, ...patch, by } });
    return await getPerson(tx, name);
  });
}

/** Sets roles in single projects; null takes one away. ERR_NOT_FOUND for a project that is none. */
export async function setProjectRoles(
  tx: Queryable,
  person: number,
  projects: Record<string, PersonRole | null>,
): Promise<void> {
  for (const [project, role] of Object.entries(projects)) {
    const { rowCount } = await tx.query(
      role === null
        ? `with gone as (delete from person_role where person = $1 and project = (select id from project where name = $2))
           select from project where name = $2`
        : `insert into person_role (person, project, role) select $1, id, $3 from project where name = $2 and archived_at is null
           on conflict (person, project) do update set role = excluded.role`,
      role === null ? [person, project] : [person, project, role],
    );
    if (rowCount === 0)
      throw new AutocodeError('ERR_NOT_FOUND', `There is no project ${project}.`, {
        remedy: 'See `autocode project list`.',
      });
  }
}

/** The error for a name that is nobody's. */
export function personNotFound(name: string): AutocodeError {
  return new AutocodeError('ERR_NOT_FOUND', `There is no person ${name}.`, {
    remedy: 'See `autocode user list`.',
  });
}

function shown({ made, disabled, seen, ...person }: Row): Person {
  return {
    ...person,
    createdAt: made.toISOString(),
    disabledAt: disabled?.toISOString() ?? null,
    lastSeenAt: seen?.toISOString() ?? null,
  };
}
