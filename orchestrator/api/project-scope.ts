// Which project a request is about, for people who have roles in some projects only: the one that the address names by a project,
// a task, a run, a change, or what may be of several: an incident, what intake took in; else what the route says in its config as `limited`. A route that says nothing is closed to them.
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
  /** null: nobody knows which it is. */
  id: number | null;
  name: string | null;
}

const NUMBER = `(case when $1 ~ '^[0-9]{1,18}$' then $1::bigint end)`;

const OF: Record<string, string> = {
  project: 'select id, name from project where name = $1',
  task: `select p.id, p.name from task t join project p on p.id = t.project where t.id = ${NUMBER}`,
  run: 'select p.id, p.name from run r join task t on t.id = r.task join project p on p.id = t.project where r.id = $1',
  change: `select p.id, p.name from change c join task t on t.id = c.task join project p on p.id = t.project where c.id = ${NUMBER}`,
  incident: `select distinct p.id, p.name from incident_task own join project p on p.id = own.project where own.incident = (select coalesce(merged_into, id) from incident where id = ${NUMBER}) order by p.id`,
  delivery: `select distinct p.id, p.name from (select project from intake_item where delivery = ${NUMBER}
      union all select s.project from intake_delivery d left join intake_source s on s.name = d.source where d.id = ${NUMBER}
        and not exists (select from intake_item i where i.delivery = d.id)) own left join project p on p.id = own.project order by p.id`,
  item: `select p.id, p.name from intake_item own left join project p on p.id = own.project where own.id = ${NUMBER}`,
};
const IN_ADDRESS = /:(project|task|run|change|incident|delivery|item)\b/;

/** Whether the address of a route names its project, directly or by something in it. */
export function namesProject(url: string): boolean {
  return IN_ADDRESS.test(url);
}

/** The projects that the address names: of an incident or a delivery one or more, else at most one; undefined for a route whose address names none. */
export async function projectsOfAddress(
  db: Queryable,
  request: FastifyRequest,
): Promise<ProjectFound[] | undefined> {
  const [, kind] = IN_ADDRESS.exec(request.routeOptions.url ?? '') ?? [];
  if (kind === undefined) return undefined;
  const found = await projectsNamed(db, kind, (request.params as Record<string, string>)[kind]);
  const { against } = request.query as { against?: unknown }; // a second run
  if (found.length === 0 || against === undefined) return found;
  const [other] = await projectsNamed(db, 'run', against);
  return other?.id === found[0]?.id ? found : [];
}

/** The project that the body names. */
export async function projectsOfBody(db: Queryable, request: FastifyRequest): Promise<ProjectFound[]> {
  const { project } = (request.body ?? {}) as { project?: unknown };
  return await projectsNamed(db, 'project', project);
}

/** The projects of something that has a number. */
export async function projectsOfId(db: Queryable, kind: string, id: number): Promise<ProjectFound[]> {
  return await projectsNamed(db, kind, String(id));
}

async function projectsNamed(db: Queryable, kind: string, value: unknown): Promise<ProjectFound[]> {
  if (typeof value !== 'string' || value.includes('\0') || !value.isWellFormed()) return [];
  return (await db.query<ProjectFound>(OF[kind]!, [value])).rows;
}

/** The projects that a list may tell of; undefined: all. */
export function projectsOf(request: FastifyRequest): number[] | undefined {
  const rights = request.identity?.rights;
  if (rights === undefined || rights.role !== null) return undefined;
  return rights.projects.map(({ id }) => id);
}
