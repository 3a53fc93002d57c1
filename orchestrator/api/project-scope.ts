// Which project a request is about, for people who have roles in some projects only: the one that the address names by a project,
// a task, a run or a change; else what the route says in its config as `limited`. A route that says nothing is closed to them.
// Used by person-access.ts, and by the routes whose lists are filtered.
import type { FastifyRequest } from 'fastify';
import type { Queryable } from '../db/connect.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * For people with roles in some projects only. filtered: the handler asks `projectsOf`. by body: it names the project. open: the
     * same for all. closed: although the address names a project, as it decides what runs may reach outside of it.
     */
    limited?: 'filtered' | 'by body' | 'open' | 'closed';
  }
}

/** A project that a request is about. */
export interface ProjectFound {
  id: number;
  name: string;
}

const OF: Record<string, string> = {
  project: 'select id, name from project where name = $1',
  task: 'select p.id, p.name from task t join project p on p.id = t.project where t.id::text = $1',
  run: 'select p.id, p.name from run r join task t on t.id = r.task join project p on p.id = t.project where r.id = $1',
  change:
    'select p.id, p.name from change c join task t on t.id = c.task join project p on p.id = t.project where c.id::text = $1',
};
const IN_ADDRESS = /:(project|task|run|change)\b/;

/** Whether the address of a route names its project, directly or by something in it. */
export function namesProject(url: string): boolean {
  return IN_ADDRESS.test(url);
}

/** The project that the address names; null where there is none, undefined for a route whose address names none. */
export async function projectOfAddress(
  db: Queryable,
  request: FastifyRequest,
): Promise<ProjectFound | null | undefined> {
  const [, kind] = IN_ADDRESS.exec(request.routeOptions.url ?? '') ?? [];
  if (kind === undefined) return undefined;
  const found = await projectOf(db, kind, (request.params as Record<string, string>)[kind]);
  const { against } = request.query as { against?: unknown }; // a second run
  if (found === null || against === undefined) return found;
  const other = await projectOf(db, 'run', against);
  return other?.id === found.id ? found : null;
}

/** The project that the body names; null where there is none. */
export async function projectOfBody(db: Queryable, request: FastifyRequest): Promise<ProjectFound | null> {
  const { project } = (request.body ?? {}) as { project?: unknown };
  return await projectOf(db, 'project', project);
}

async function projectOf(db: Queryable, kind: string, value: unknown): Promise<ProjectFound | null> {
  if (typeof value !== 'string' || value.includes('\0') || !value.isWellFormed()) return null;
  const { rows } = await db.query<ProjectFound>(OF[kind]!, [value]);
  return rows[0] ?? null;
}

/** The projects that a list may tell of; undefined: all. */
export function projectsOf(request: FastifyRequest): number[] | undefined {
  const rights = request.identity?.rights;
  if (rights === undefined || rights.role !== null) return undefined;
  return rights.projects.map(({ id }) => id);
}
