// A person decides about what was quarantined: it is taken up as if nothing had stood against it, or never. Used by the API.
import { AutocodeError } from '../../protocol/errors.ts';
import type { IntakeDelivery } from '../../protocol/intake.ts';
import { transaction, type Queryable } from '../db/connect.ts';
import { lockIncidents } from '../incidents/find.ts';
import { act, NotYet } from './act.ts';
import { lockSubject, settle, staleness } from './decide.ts';
import { getDelivery } from './log.ts';
import { openSource } from './sources.ts';
import { raw, type WorkDeps } from './work.ts';

interface Quarantined {
  delivery: number;
  scope: string;
  key: string;
  subject: string | null;
  verdict: string;
}

/** Takes up a quarantined item; the delivery with what became of it. */
export async function approveItem(deps: WorkDeps, id: number, actor: string): Promise<IntakeDelivery> {
  return await transaction(deps.db, async (tx) => {
    const { delivery, scope, key } = await lockQuarantined(tx, id);
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
    const stale = await staleness(tx, scope, item, id);
    const decision = stale
      ? { ...stale, task: null }
      : await act(tx, deps, { source: opened.source, scope }, item).catch((error: unknown) => {
          throw error instanceof NotYet ? busy(id) : error;
        });
    const reason = [`Approved by ${actor}.`, decision.reason].filter(Boolean).join(' ');
    await settle(tx, id, { ...decision, reason });
    return await getDelivery(tx, delivery);
  });
}

/** Refuses a quarantined item for good. */
export async function rejectItem(
  { db }: Pick<WorkDeps, 'db'>,
  id: number,
  actor: string,
): Promise<IntakeDelivery> {
  return await transaction(db, async (tx) => {
    const { delivery } = await lockQuarantined(tx, id);
    await settle(tx, id, { verdict: 'rejected', reason: `Rejected by ${actor}.`, task: null });
    return await getDelivery(tx, delivery);
  });
}

async function lockQuarantined(tx: Queryable, id: number): Promise<Quarantined> {
  const select = 'select delivery, scope, key, subject, verdict from intake_item where id = $1';
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

function busy(id: number): AutocodeError {
  return new AutocodeError(
    'ERR_STATE',
    `The run that item ${id} is about takes no message any more, and has not ended.`,
    {
      remedy: 'Try again when it has.',
    },
  );
}
