// The record of who asked for which change and what came of it. A change is recorded before it is made, and its outcome before it is
// answered: none goes unrecorded, whatever is killed when. Bodies are never in it. Used by the API.
import type { AuditRecord } from '../../protocol/person.ts';
import type { Queryable } from '../db/connect.ts';

/** A change that somebody asks for. */
export interface Asked {
  actor: string | null;
  person: number | null;
  session: number | null;
  token: number | null;
  role: string | null;
  address: string;
  method: string;
  route: string;
  target: Record<string, string>;
  project: string | null;
  request: string;
}

/** What came of it; `made` is the number or the name of what it has made. */
export interface Outcome {
  status: number;
  code: string | null;
  made?: string | undefined;
}

/** Records that a change is asked for, with its outcome where that is known; the number of the record. */
export async function recordChange(db: Queryable, asked: Asked, outcome?: Outcome): Promise<number> {
  const { rows } = await db.query<{ id: number }>({
    name: 'record-change',
    text: `insert into audit_record
             (actor, person, session, token, role, address, method, route, target, project, request, status, code)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) returning id`,
    values: [
      asked.actor,
      asked.person,
      asked.session,
      asked.token,
      asked.role,
      asked.address,
      asked.method,
      asked.route,
      JSON.stringify(asked.target),
      asked.project,
      asked.request,
      outcome?.status ?? null,
      outcome?.code ?? null,
    ],
  });
  return rows[0]!.id;
}

/** Notes the outcome of a record that has none, once; and who asked, where that is known only now: who has just signed in. */
export async function noteOutcome(
  db: Queryable,
  record: number,
  outcome: Outcome,
  { actor, person, session, role }: Pick<Asked, 'actor' | 'person' | 'session' | 'role'>,
): Promise<void> {
  const { status, code, made } = outcome;
  await db.query({
    name: 'note-outcome',
    text: `update audit_record set status = $2, code = $3, actor = coalesce(actor, $5), person = coalesce(person, $6),
             session = case when actor is null then $7 else session end, role = coalesce(role, $8),
             target = target || case when $4::text is null then '{}' else jsonb_build_object('made', $4::text) end
           where id = $1 and status is null`,
    values: [record, status, code, made ?? null, actor, person, session, role],
  });
}

/** Records, newest first; `before` is the number of the last one seen. */
export async function listAudit(
  db: Queryable,
  want: {
    actor?: string | undefined;
    project?: string | undefined;
    refused?: boolean | undefined;
    before?: number | undefined;
    limit: number;
  },
): Promise<AuditRecord[]> {
  const { rows } = await db.query<Omit<AuditRecord, 'at'> & { at: Date }>(
    `select id, at, actor, session, token, role, address, method, route, target, project, status, code, request
     from audit_record
     where ($1::text is null or actor = $1) and ($2::text is null or project = $2)
       and (not $3 or status >= 400) and ($4::bigint is null or id < $4)
     order by id desc limit $5`,
    [want.actor ?? null, want.project ?? null, want.refused ?? false, want.before ?? null, want.limit],
  );
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
}
