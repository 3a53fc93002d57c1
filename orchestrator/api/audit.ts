// Records every change that people and services ask for, before it is made; what is refused too. Used by server.ts.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { noteOutcome, recordChange, type Asked, type Outcome } from '../people/audit-log.ts';
import type { ApiContext } from './context.ts';
import { projectsOfAddress } from './project-scope.ts';
import { isSafe } from './session-cookie.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Recorded although nobody is known yet, or although it is a GET: signing in. */
    audited?: boolean;
    /** What of a body that was checked is recorded beside what the address names: never a value. */
    auditTarget?: (body: unknown) => Record<string, string>;
  }
  interface FastifyRequest {
    auditRecord?: number;
    /** Code of the error that it is answered with. */
    refusedWith?: string;
  }
}

const PEOPLE = new Set(['viewer', 'operator', 'admin']);
const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** Installs the hooks; to be called after those that decide who may ask. */
export function recordChanges(app: FastifyInstance, { db, log }: Pick<ApiContext, 'db' | 'log'>): void {
  app.addHook('preHandler', async (request) => {
    if (!isRecorded(request)) return;
    const { auditTarget } = request.routeOptions.config;
    request.auditRecord = await recordChange(db, await askedBy(db, request, auditTarget?.(request.body)));
  });
  app.addHook('onSend', async (request, reply, payload) => {
    if (!isRecorded(request) || isFlood(request, reply.statusCode)) return payload;
    const outcome: Outcome = { status: reply.statusCode, code: request.refusedWith ?? null };
    try {
      outcome.made = madeBy(reply.statusCode, payload);
      if (request.auditRecord === undefined) await recordChange(db, await askedBy(db, request), outcome);
      else await noteOutcome(db, request.auditRecord, outcome, whoAsked(request));
    } catch (error) {
      log.error(`the outcome of a change is not in the audit log: ${String(error)}`, {
        requestId: request.id,
        route: request.routeOptions.url,
        ...outcome,
      });
    }
    return payload;
  });
}

function isRecorded({ identity, method, routeOptions }: FastifyRequest): boolean {
  if (routeOptions.config.audited === true) return true;
  return identity !== null && PEOPLE.has(identity.role) && !isSafe(method);
}

function whoAsked({
  identity,
}: FastifyRequest): Pick<Asked, 'actor' | 'person' | 'session' | 'token' | 'role'> {
  return {
    actor: identity?.name ?? null,
    person: identity?.rights?.person ?? null,
    session: identity?.session === undefined ? null : identity.id,
    token: identity === null || identity.session !== undefined ? null : identity.id,
    role: identity?.role ?? null,
  };
}

/** What was refused before anybody looked at it, and can be sent without end: by nobody known, or too often. */
function isFlood({ auditRecord, identity }: FastifyRequest, status: number): boolean {
  return auditRecord === undefined && (identity === null || status === 429);
}

async function askedBy(
  db: ApiContext['db'],
  request: FastifyRequest,
  ofBody: Record<string, string> = {},
): Promise<Asked> {
  const { method, routeOptions, id } = request;
  const target = Object.entries<unknown>({ ...(request.params as object), ...ofBody });
  return {
    ...whoAsked(request),
    address: request.ip,
    method,
    route: routeOptions.url ?? '',
    target: Object.fromEntries(target.map(([name, value]) => [name, storable(value)])),
    project: (await projectsOfAddress(db, request))?.[0]?.name ?? projectNamed(request.body),
    request: id,
  };
}

function projectNamed(body: unknown): string | null {
  const { project } = (body ?? {}) as { project?: unknown };
  return typeof project === 'string' && NAME.test(project) ? project : null;
}

/** The number or name of what was made; an answer that shows a secret has it elsewhere. */
function madeBy(status: number, payload: unknown): string | undefined {
  if (status !== 201 || typeof payload !== 'string') return undefined;
  const { id, name, person } = JSON.parse(payload) as Record<string, unknown>;
  const made = id ?? name ?? (person as { name?: unknown } | undefined)?.name;
  return typeof made === 'string' || typeof made === 'number' ? storable(made) : undefined;
}

function storable(value: unknown): string {
  return String(value).toWellFormed().replaceAll('\0', '').slice(0, 200);
}
