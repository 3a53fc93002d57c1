// Invitations for workers: made, listed, revoked, and exchanged once for a worker's token. Used by the API.
import { createHmac, randomBytes } from 'node:crypto';
import { AutocodeError } from '../../protocol/errors.ts';
import type { WorkerInvite, WorkerInviteInput, WorkerJoin, WorkerJoined } from '../../protocol/joining.ts';
import { PROTOCOL_VERSION, versionsAgree } from '../../protocol/version.ts';
import { hashOf, replaceToken, verifyToken } from '../access/tokens.ts';
import type { Queryable } from '../db/connect.ts';
import { withinTransaction } from '../db/within-transaction.ts';
import { emit } from '../events/outbox.ts';

const SHOWN = `id, name, created_by as "createdBy", created_at as "createdAt", expires_at as "expiresAt",
  used_at as "usedAt", worker, case when revoked_at is not null then 'revoked' when used_at is not null then 'used'
    when expires_at <= now() then 'expired' else 'open' end as state`;
const AGAIN = 'Make another with `autocode worker invite` where the orchestrator runs.';

type Row = Omit<WorkerInvite, 'createdAt' | 'expiresAt' | 'usedAt'> & {
  createdAt: Date;
  expiresAt: Date;
  usedAt: Date | null;
};

/** Makes an invitation; its secret is in the answer and nowhere else. */
export async function inviteWorker(
  db: Queryable,
  { name, ttlSeconds }: WorkerInviteInput,
  createdBy: string,
): Promise<{ invite: WorkerInvite; secret: string }> {
  const secret = randomBytes(32).toString('base64url');
  return await withinTransaction(db, async (tx) => {
    const { rows } = await tx.query<Row>(
      `insert into worker_invite (hash, name, created_by, expires_at)
       values ($1, $2, $3, now() + make_interval(secs => $4)) returning ${SHOWN}`,
      [hashOf(secret), name ?? null, createdBy, ttlSeconds],
    );
    const invite = shown(rows[0]!);
    await emit(tx, { kind: 'worker.invited', data: { invite: invite.id, worker: name ?? null, createdBy } });
    return { invite, secret };
  });
}

/** The latest invitations, newest first. */
export async function listInvites(db: Queryable): Promise<WorkerInvite[]> {
  const { rows } = await db.query<Row>(`select ${SHOWN} from worker_invite order by id desc limit 500`);
  return rows.map(shown);
}

/** Ends an invitation at once; the token of a worker that used it goes on (`autocode token revoke`). */
export async function revokeInvite(db: Queryable, id: number): Promise<WorkerInvite> {
  const { rows } = await db.query<Row>(
    `update worker_invite set revoked_at = coalesce(revoked_at, now()) where id = $1 returning ${SHOWN}`,
    [id],
  );
  if (rows[0] !== undefined) return shown(rows[0]);
  throw new AutocodeError('ERR_NOT_FOUND', `There is no invitation ${id}.`, {
    remedy: 'See `autocode worker invites`.',
  });
}

/**
 * Exchanges an invitation for a worker's token. The token is derived from the invitation's secret and a key that only the
 * machine has: an answer that was lost can be asked for again by that machine, and by nobody else.
 */
export async function joinWorker(db: Queryable, input: WorkerJoin): Promise<WorkerJoined> {
  checkVersion(input);
  return await withinTransaction(db, async (tx) => {
    const { rows } = await tx.query<Row & { machine: Buffer | null; late: boolean }>(
      `select ${SHOWN}, machine, expires_at <= now() as late from worker_invite where hash = $1 for update`,
      [hashOf(input.secret)],
    );
    const invite = rows[0];
    if (invite === undefined) throw refused('The invitation is not known here.');
    const machine = hashOf(input.machine);
    if (invite.state === 'revoked') throw refused('The invitation was revoked.');
    if (invite.machine !== null && !invite.machine.equals(machine))
      throw refused(`The invitation was used for worker ${invite.worker}, by another machine.`);
    if (invite.late) throw refused(`The invitation expired at ${invite.expiresAt.toISOString()}.`);
    const token = `ac_worker_${createHmac('sha256', input.secret).update(input.machine).digest('base64url')}`;
    const worker = invite.worker ?? (await take(tx, invite, { input, machine, token }));
    if ((await verifyToken(tx, token)) === null)
      throw refused(`The token that worker ${worker} got for this invitation was revoked.`);
    const { rows: installations } = await tx.query<{ id: string }>('select id from installation');
    return { worker, token, installation: installations[0]!.id };
  });
}

/** Uses the invitation up: the worker has this token from now on, and no earlier one. */
async function take(
  tx: Queryable,
  { id, name }: Row,
  { input, machine, token }: { input: WorkerJoin; machine: Buffer; token: string },
): Promise<string> {
  const worker = name ?? input.name;
  if (name === null) await requireFree(tx, worker);
  await tx.query(`update worker_invite set used_at = now(), worker = $2, machine = $3 where id = $1`, [
    id,
    worker,
    machine,
  ]);
  await replaceToken(tx, { name: `worker-${worker}`, role: 'worker' }, token);
  await emit(tx, { kind: 'worker.joined', data: { invite: id, worker } });
  return worker;
}

// Two machines with one name would take one another's claims; an invitation that names it says that the first one goes.
async function requireFree(tx: Queryable, worker: string): Promise<void> {
  const { rows } = await tx.query<{ host: string }>(
    `select host from worker where name = $1 and state = 'online'`,
    [worker],
  );
  if (rows[0] === undefined) return;
  throw new AutocodeError('ERR_CONFLICT', `A worker ${worker} is online, on ${rows[0].host}.`, {
    remedy: `Give this one another name (--name), or invite it by name (\`autocode worker invite --name ${worker}\`) to replace that one.`,
  });
}

function checkVersion({ protocol, version }: WorkerJoin): void {
  if (versionsAgree(PROTOCOL_VERSION, protocol)) return;
  throw new AutocodeError(
    'ERR_PROTOCOL_VERSION',
    `Version ${version} of this machine speaks protocol ${protocol}, the orchestrator ${PROTOCOL_VERSION}; they may differ by one.`,
    {
      remedy: `Upgrade the ${protocol < PROTOCOL_VERSION ? 'machine' : 'orchestrator'}; the invitation is not used up.`,
      details: { ours: PROTOCOL_VERSION },
    },
  );
}

function refused(message: string): AutocodeError {
  return new AutocodeError('ERR_UNAUTHENTICATED', message, { remedy: AGAIN });
}

function shown({ id, name, state, createdBy, createdAt, expiresAt, usedAt, worker }: Row): WorkerInvite {
  return {
    id,
    name,
    state,
    createdBy,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    usedAt: usedAt?.toISOString() ?? null,
    worker,
  };
}
