// Who an OpenID provider says somebody is, as a person of ours: found by the provider's own id, never by a name, with the roles that
// the groups give at each sign-in. Used by provider.ts.
import type { PersonRole } from '../../protocol/person.ts';
import type { OidcSettings } from '../config/sign-in-settings.ts';
import type { Queryable } from '../db/connect.ts';
import { takeProvidedEmail } from './email.ts';
import { endSessions } from './sessions.ts';

/** What the provider tells; `iss` and `sub` together are one person. */
export interface Claims {
  iss: string;
  sub: string;
  [claim: string]: unknown;
}

export interface Roles {
  role: PersonRole | null;
  projects: Record<string, PersonRole>;
}

const RANK: Record<PersonRole, number> = { viewer: 1, operator: 2, admin: 3 };

/** The greatest role of the groups, in all projects and in single ones. */
export function rolesOf(
  { groupsClaim, roles }: Pick<OidcSettings, 'groupsClaim' | 'roles'>,
  claims: Claims,
): Roles {
  const told = claims[groupsClaim];
  const groups = new Set([told].flat().filter((each): each is string => typeof each === 'string'));
  const found: Roles = { role: null, projects: {} };
  const greater = (before: PersonRole | null | undefined, role: PersonRole) =>
    before != null && RANK[before] > RANK[role] ? before : role;
  for (const { group, role, project } of roles) {
    if (!groups.has(group)) continue;
    if (project === undefined) found.role = greater(found.role, role);
    else found.projects[project] = greater(found.projects[project], role);
  }
  return found;
}

/** Brings the person up to what the provider says now; null for who may not get in, whose sessions end. */
export async function admitFromProvider(
  tx: Queryable,
  settings: OidcSettings,
  claims: Claims,
): Promise<{ id: number; name: string } | null> {
  const { role, projects } = rolesOf(settings, claims);
  const may = role !== null || Object.keys(projects).length > 0;
  const known = await tx.query<{ id: number; name: string; disabled: boolean }>(
    'select id, name, disabled_at is not null as disabled from person where issuer = $1 and subject = $2 for update',
    [claims.iss, claims.sub],
  );
  const before = known.rows[0];
  if (before === undefined && !may) return null;
  const person = before ?? (await makePerson(tx, claims));
  await giveRoles(tx, person.id, { role, projects });
  await takeProvidedEmail(tx, person.id, claims);
  if (!may) await endSessions(tx, person.id, 'the provider gives no role any more');
  return may && before?.disabled !== true ? person : null;
}

async function makePerson(tx: Queryable, claims: Claims): Promise<{ id: number; name: string }> {
  const wanted = nameOf(claims);
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${wanted.slice(0, 58)}-${number}`;
    const { rows } = await tx.query<{ id: number }>(
      `insert into person (name, issuer, subject, created_by) values ($1, $2, $3, 'provider')
       on conflict (name) do nothing returning id`,
      [name, claims.iss, claims.sub],
    );
    if (rows[0] !== undefined) return { id: rows[0].id, name };
  }
}

/** Exactly these roles; those of projects that there are not are left out. */
async function giveRoles(tx: Queryable, person: number, { role, projects }: Roles): Promise<void> {
  const wanted = JSON.stringify(projects);
  const gone = await tx.query(
    `delete from person_role r using project p where p.id = r.project and r.person = $1 and not $2::jsonb ? p.name`,
    [person, wanted],
  );
  const given = await tx.query(
    `insert into person_role as r (person, project, role)
     select $1, p.id, w.value from jsonb_each_text($2) w join project p on p.name = w.key
     on conflict (person, project) do update set role = excluded.role where r.role <> excluded.role`,
    [person, wanted],
  );
  await tx.query(
    `update person set rights = rights + 1, role = $2 where id = $1 and ($3 or role is distinct from $2)`,
    [person, role, (gone.rowCount ?? 0) + (given.rowCount ?? 0) > 0],
  );
}

/** A name of ours from what the provider calls the person. */
function nameOf({ preferred_username: username, email, sub }: Claims): string {
  for (const told of [username, email, sub]) {
    if (typeof told !== 'string') continue;
    const name = told
      .split('@')[0]!
      .toLowerCase()
      .replaceAll(/[^a-z0-9._-]/g, '-')
      .replace(/^[^a-z0-9]+/, '')
      .slice(0, 63);
    if (name !== '') return name;
  }
  return 'somebody';
}
