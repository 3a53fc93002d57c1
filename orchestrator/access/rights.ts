// What a person may do: a role in all projects, and roles in single ones besides. Used by tokens.ts, people/ and the API.
import type { PersonRole } from '../../protocol/person.ts';

/** A person's rights, as they are read with a session or a token. */
export interface Rights {
  person: number;
  /** Counts up when the others change. */
  version: number;
  role: PersonRole | null;
  projects: { id: number; name: string; role: PersonRole }[];
}

const RANK: Record<PersonRole, number> = { viewer: 1, operator: 2, admin: 3 };

/** SQL of a person's rights, as one JSON value; `p` is the row of `person`. */
export const RIGHTS = `jsonb_build_object('person', p.id, 'version', p.rights, 'role', p.role, 'projects', coalesce(
  (select jsonb_agg(jsonb_build_object('id', q.id, 'name', q.name, 'role', r.role) order by q.name)
   from person_role r join project q on q.id = r.project where r.person = p.id), '[]'))`;

/** The same, but nowhere more than `most`: the rights of a person's token. */
export function cappedAt(most: PersonRole, rights: Rights): Rights {
  const lesser = (role: PersonRole) => (RANK[role] > RANK[most] ? most : role);
  return {
    ...rights,
    role: rights.role && lesser(rights.role),
    projects: rights.projects.map((each) => ({ ...each, role: lesser(each.role) })),
  };
}

/** The role in a project: the greater of the one in all and the one in it; without a project, the one in all. */
export function roleIn({ role, projects }: Rights, project: number | null): PersonRole | null {
  const own = projects.find(({ id }) => id === project)?.role ?? null;
  if (role === null || own === null) return role ?? own;
  return RANK[own] > RANK[role] ? own : role;
}
