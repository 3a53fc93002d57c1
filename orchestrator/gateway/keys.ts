// Who may call: a run's gateway key, while the run lives. Used by the gateway for each request.
import { hashOf } from '../access/tokens.ts';
import type { Queryable } from '../db/connect.ts';
import { AutocodeError } from '../../protocol/errors.ts';

/** The run behind a key. */
export interface Caller {
  run: string;
  task: number;
  project: number;
  /** Model of the run, for a request that names none. */
  model: string;
}

const KEPT_MS = 2_000;
const KEPT_AT_MOST = 10_000;
const LIVE = ['leased', 'preparing', 'working', 'verifying'];

/** Checks keys against the database; an answer is believed for 2 s. */
export function gatewayKeys(db: Queryable): (key: string | undefined) => Promise<Caller> {
  const kept = new Map<string, { until: number; caller: Promise<Caller> }>();
  return (key) => {
    if (key === undefined || key === '') return Promise.reject(refused('The request carries no key.'));
    const hash = hashOf(key);
    const id = hash.toString('base64');
    const known = kept.get(id);
    if (known !== undefined && known.until > Date.now()) return known.caller;
    if (kept.size >= KEPT_AT_MOST) kept.clear();
    const caller = lookUp(db, hash);
    kept.set(id, { until: Date.now() + KEPT_MS, caller });
    // Only a found caller is kept: a key that is unknown now may be handed out in the next moment.
    caller.catch(() => kept.delete(id));
    return caller;
  };
}

async function lookUp(db: Queryable, hash: Buffer): Promise<Caller> {
  const { rows } = await db.query({
    name: 'gateway-key',
    text: `select run.id as run, run.task, task.project, run.model, run.state,
                  token.revoked_at is not null or coalesce(token.expires_at <= now(), false) as revoked
           from token join run on run.id = token.run join task on task.id = run.task
           where token.hash = $1 and token.role = 'gateway'`,
    values: [hash],
  });
  const found = rows[0];
  if (found === undefined) throw refused('The key is not known here.');
  if (found.revoked) throw refused(`The key of run ${found.run} has been revoked.`);
  if (!LIVE.includes(found.state))
    throw refused(`The run ${found.run} is ${found.state}; its key ended with it.`);
  return { run: found.run, task: found.task, project: found.project, model: found.model };
}

function refused(message: string): AutocodeError {
  return new AutocodeError('ERR_UNAUTHENTICATED', message, {
    remedy: "Send a live run's gateway key as `Authorization: Bearer` or `x-api-key`.",
  });
}
