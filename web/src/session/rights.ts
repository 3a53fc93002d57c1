// What somebody may do, by the roles that the session tells. Used by session.ts, and by the shell for pages.
import type { PersonRole, SignedIn } from '../../../protocol/person.ts';

const RANK: Record<PersonRole, number> = { viewer: 1, operator: 2, admin: 3 };

/** Whether somebody has the role, or one above it: in a project, or in any where none is named. */
export function may(user: SignedIn['user'], role: PersonRole, project?: string): boolean {
  const inProjects = project === undefined ? Object.values(user.projects) : [user.projects[project]];
  return [user.role, ...inProjects].some((each) => each != null && RANK[each] >= RANK[role]);
}

/** Whether somebody has the role, or one above it, in all projects. */
export function mayInAll(user: SignedIn['user'], role: PersonRole): boolean {
  return user.role !== null && RANK[user.role] >= RANK[role];
}
