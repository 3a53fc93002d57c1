// What a person may do where they ask: by the role in all projects, else by the one in the project that the request is about.
// One hook for all routes, so that none can forget it. Used by authentication.ts.
import type { FastifyRequest } from 'fastify';
import type { Role } from '../../protocol/access.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import { roleIn, type Rights } from '../access/rights.ts';
import type { Queryable } from '../db/connect.ts';
import { projectsOfAddress, projectsOfBody, projectsOfId, type ProjectFound } from './project-scope.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Decided only when the body is read: it names the project. */
    decideByBody?: { rights: Rights; allowed: readonly Role[] };
  }
}

/** Lets a person through whose role suffices, and notes the role; what another project has is not even told to exist. */
export async function decidePerson(
  db: Queryable,
  request: FastifyRequest,
  rights: Rights,
  allowed: readonly Role[],
): Promise<void> {
  const everywhere = roleIn(rights, null);
  if (everywhere !== null && allowed.includes(everywhere)) return setRole(request, everywhere);
  if (rights.projects.length === 0) throw forbidden(request, allowed, everywhere);
  const { limited } = request.routeOptions.config;
  if (limited === 'closed') throw forbidden(request, allowed, everywhere);
  const projects = await projectsOfAddress(db, request);
  if (projects !== undefined) return decideIn(request, rights, allowed, projects);
  if (limited === 'by body') {
    request.decideByBody = { rights, allowed };
    return;
  }
  const role = rights.projects.map((each) => each.role).find((each) => allowed.includes(each));
  if (everywhere !== null || limited === undefined || role === undefined)
    throw forbidden(request, allowed, everywhere);
  setRole(request, role);
}

/** The rest of it for a request whose body names the project. */
export async function decidePersonByBody(db: Queryable, request: FastifyRequest): Promise<void> {
  const { decideByBody } = request;
  if (decideByBody === undefined) return;
  decideIn(request, decideByBody.rights, decideByBody.allowed, await projectsOfBody(db, request));
}

/** The same of one more thing that the body names, whoever asks. */
export async function decideAbout(
  db: Queryable,
  request: FastifyRequest,
  allowed: readonly Role[],
  kind: string,
  id: number,
): Promise<void> {
  const rights = request.identity?.rights;
  if (rights === undefined || mayInAll(request, allowed)) return;
  decideIn(request, rights, allowed, await projectsOfId(db, kind, id));
}

/** Whether whoever asks may without looking at a project: by a role in all, or by a token that is no person's. */
export function mayInAll({ identity }: FastifyRequest, allowed: readonly Role[]): boolean {
  const rights = identity?.rights;
  return rights === undefined || (rights.role !== null && allowed.includes(rights.role));
}

function decideIn(
  request: FastifyRequest,
  rights: Rights,
  allowed: readonly Role[],
  projects: ProjectFound[],
): void {
  const roles = projects.flatMap(({ id }) => roleIn(rights, id) ?? []);
  if (roles.length === 0) {
    throw new AutocodeError('ERR_NOT_FOUND', 'There is no such thing in your projects.', {
      remedy: 'Ask an admin for a role in its project: `autocode user set NAME --project PROJECT=viewer`.',
    });
  }
  const role = roles.find((each) => allowed.includes(each));
  const lesser = roles.find((each) => !allowed.includes(each));
  if (role === undefined) throw forbidden(request, allowed, lesser ?? null);
  // What is of several projects, or of one that nobody knows, is read by whoever may in one of them, and changed by whoever may in all.
  const reads = request.method === 'GET' || request.method === 'HEAD';
  if (!reads && (lesser !== undefined || roles.length < projects.length))
    throw new AutocodeError(
      'ERR_FORBIDDEN',
      'It belongs to other projects too, in which you may not do this.',
      {
        remedy: `It needs the role ${allowed[0] ?? 'admin'} in each of them: ask somebody who has it.`,
      },
    );
  setRole(request, role);
}

function setRole(request: FastifyRequest, role: Role): void {
  if (request.identity !== null) request.identity.role = role;
}

function forbidden(request: FastifyRequest, allowed: readonly Role[], role: Role | null): AutocodeError {
  const { method, routeOptions } = request;
  const least = allowed[0] ?? 'admin';
  return new AutocodeError(
    'ERR_FORBIDDEN',
    role === null
      ? `With roles in single projects you may not ${method} ${routeOptions.url}.`
      : `A ${role} may not ${method} ${routeOptions.url}.`,
    {
      remedy: `It needs the role ${least}${role === null ? ' in all projects' : ''}; an admin gives it: \`autocode user set NAME --role ${least}\`.`,
    },
  );
}
