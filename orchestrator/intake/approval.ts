// A person decides about what was quarantined: it is taken up as if nothing had stood against it, or never. Used by the API.
import { AutocodeError } from '../../protocol/errors.ts';
import type { IntakeDelivery } from '../../protocol/intake.ts';
import { transaction, type Queryable } from '../db/connect.ts';
import { lockIncidents } from '../incidents/find.ts';
import { act, NotYet } from './act.ts';
import { lockSubject, settle, staleness } from './decide.ts';
import { getDelivery } from './log.ts';
import { projectOf } from './project-of.ts';
import { openSource } from './sources.ts';
import { raw, type WorkDeps } from './work.ts';

interface Quarantined {
  delivery: number;
  scope: string;
  key: string;
  subject: string | null;
  verdict: string;
  project: number | null;
}

/** Who decides; `projects` are those that they are told of, and `inAll` whether they may decide about what is of any. */
export interface Decider {
  actor: string;
  projects?: number[] | undefined;
  inAll: boolean;
}

/** Takes up a quarantined item; the delivery with what became of it. */
export async function approveItem(
  deps: WorkDeps,
  id: number,
  { actor, projects, inAll }: Decider,
): Promise<IntakeDelivery> {
  return await transaction(deps.db, async (tx) => {
    const { delivery, scope, key, project } = await lockQuarantined(tx, id);
    const { rows } = await tx.query<{
      source: string;
      delivery: string;
      event: string;
      sealed: Buffer | null;
    }>('select source, delivery, event, sealed from intake_delivery where id = $1', [delivery]);
    const opened = await openSource(tx, rows[0]!.source);
    const items = opened?.kind.parse(opened.source, raw(deps.sealer, rows[0]!)) ?? [];
    const item = items.find((each) => each.key === key);
    if (opened === undefined || item === undefined) throw notThere(id);
    const place = { source: opened.source, scope };
    if (!inAll && (await projectOf(tx, deps.incidents, place, item)) !== project) throw movedOn(id);
    const stale = await staleness(tx, scope, item, id);
    const decision = stale
      ? { ...stale, task: null }
      : await act(tx, deps, place, item).catch((error: unknown) => {
          throw error instanceof NotYet ? busy(id) : error;
        });
    const reason = [`Approved by ${actor}.`, decision.reason].filter(Boolean).join(' ');
    await settle(tx, id, { ...decision, reason });
    return await getDelivery(tx, delivery, projects);
  });
}

/** Refuses a quarantined item for good. */
export async function rejectItem(
  { db }: Pick<WorkDeps, 'db'>,
  id: number,
  { actor, projects }: Pick<Decider, 'actor' | 'projects'>,
): Promise<IntakeDelivery> {
  return await transaction(db, async (tx) => {
    const { delivery } = await lockQuarantined(tx, id);
    await settle(tx, id, { verdict: 'rejected', reason: `Rejected by ${actor}.`, task: null });
    return await getDelivery(tx, delivery, projects);
  });
}

async function lockQuarantined(tx: Queryable, id: number): Promise<Quarantined> {
  const select = 'select delivery, scope, key, subject, verdict, project from intake_item where id = $1';
  const { rows } = await tx.query<Quarantined>(select, [id]);
  if (rows[0] === undefined)
    throw new AutocodeError('ERR_NOT_FOUND', `There is no item ${id}.`, {
      remedy: 'See `autocode intake log`.',
    });
  await lockIncidents(tx); // it may be an alarm
  await lockSubject(tx, rows[0].scope, rows[0].subject ?? rows[0].key);
  const found = (await tx.query<Quarantined>(`${select} for no key update`, [id])).rows[0];
  if (found?.verdict === 'quarantined') return found;
  throw new AutocodeError(
    'ERR_STATE',
    `Item ${id} is ${found?.verdict ?? 'gone'}; there is nothing to decide.`,
    {
      remedy: 'See what waits with `autocode intake log --verdict quarantined`.',
    },
  );
}

function notThere(id: number): AutocodeError {
  return new AutocodeError('ERR_STATE', `The source of item ${id}, or what it said, is not there any more.`, {
    remedy: `Give the task yourself with \`autocode task add\`, and reject it: \`autocode intake reject ${id}\`.`,
  });
}

function movedOn(id: number): AutocodeError {
  return new AutocodeError(
    'ERR_STATE',
    `By what its source is told now, item ${id} is of another project than when it came.`,
    {
      remedy: 'Ask somebody with the role operator in all projects to take it up.',
    },
  );
}

function busy(id: number): AutocodeError {
  return new AutocodeError(
    'ERR_STATE',
    `The run that item ${id} is about takes no message any more, and has not ended.`,
    {
      remedy: 'Try again when it has.',
    },
  );
}
