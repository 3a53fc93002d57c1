// Who may call: a run while it lives, a person or a service as long as their key is good. Used for each request.
import type { ModelCall } from '../../protocol/model.ts';
import { ModelPolicy } from '../../protocol/model.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import { hashOf } from '../access/tokens.ts';
import { payersOf, type Payers } from '../budget/payers.ts';
import type { Queryable } from '../db/connect.ts';

/** Who is behind a key, and what it may do. */
export interface Caller {
  /** The run, or else the key of a person or service. */
  run: string | null;
  key: number | null;
  task: number | null;
  project: number | null;
  worker: string | null;
  /** In whose budgets its calls count. */
  payers: Payers;
  /** As in messages to the user. */
  where: string;
  /** Model for a request that names none. */
  model: string;
  policy: {
    /** Lists of which each must have the model in it; an empty one allows all. */
    allow: string[][];
    external: boolean;
    cacheAnswers: boolean;
    keepPrompts: boolean;
  };
  limits: { maxCalls?: number; maxTokens?: number };
  /** Whose money the calls are: a run that repeats what the platform lost is the platform's. */
  cause: ModelCall['cause'];
}

const KEPT_MS = 2_000;
const KEPT_AT_MOST = 10_000;
const LIVE = ['leased', 'preparing', 'working', 'verifying'];
const USE_RECORDED_EVERY = '1 minute';

/** Checks keys against the database; an answer is believed for 2 s. */
export function gatewayKeys(
  db: Queryable,
  now: () => number = () => performance.now(),
): (key: string | undefined) => Promise<Caller> {
  const kept = new Map<string, { since: number; caller: Promise<Caller>; renewed: boolean }>();
  const ask = (id: string, hash: Buffer): Promise<Caller> => {
    const since = now();
    const caller = lookUp(db, hash);
    const keep = () => void kept.set(id, { since, caller, renewed: false });
    // Only a found caller is kept: a key that is unknown now may be handed out in the next moment.
    const drop = () => void kept.delete(id);
    if (kept.has(id)) caller.then(keep, drop);
    else keep();
    caller.catch(drop);
    return caller;
  };
  return (key) => {
    if (key === undefined || key === '') return Promise.reject(refused('The request carries no key.'));
    const hash = hashOf(key);
    const id = hash.toString('base64');
    const known = kept.get(id);
    const age = known === undefined ? Infinity : now() - known.since;
    if (known === undefined || age >= KEPT_MS) {
      if (kept.size >= KEPT_AT_MOST) kept.clear();
      kept.delete(id);
      return ask(id, hash);
    }
    // Who calls all the time is asked about meanwhile, and does not wait.
    if (age > KEPT_MS * 0.75 && !known.renewed) {
      known.renewed = true;
      void ask(id, hash);
    }
    return known.caller;
  };
}

async function lookUp(db: Queryable, hash: Buffer): Promise<Caller> {
  const { rows } = await db.query({
    name: 'gateway-key',
    text: `select token.id, token.name, token.models, token.external, run.id as run, run.task, run.agent, run.model, run.state, run.worker, task.created_by,
                  run.deadline < now() as overdue, p.id as project, p.name as project_name, p.model_policy,
                  p.limits || coalesce(task.limits, '{}') as limits,
                  coalesce(token.last_used_at < now() - interval '${USE_RECORDED_EVERY}', true) as stale,
                  token.revoked_at is not null as revoked, coalesce(token.expires_at <= now(), false) as expired,
                  (select before.state = 'lost' or coalesce(before.cause, '') = 'platform' from run before
                   where before.task = run.task and before.fence < run.fence order by before.fence desc limit 1) as again
           from token left join run on run.id = token.run left join task on task.id = run.task
                left join project p on p.id = coalesce(task.project, token.project)
           where token.hash = $1 and token.role = 'gateway'`,
    values: [hash],
  });
  const found = rows[0];
  if (found === undefined) throw refused('The key is not known here.');
  const whose = found.run === null ? `The key ${found.name}` : `The key of run ${found.run}`;
  if (found.revoked) throw refused(`${whose} has been revoked.`);
  if (found.expired) throw refused(`${whose} has expired.`);
  if (found.run !== null && !LIVE.includes(found.state))
    throw refused(`The run ${found.run} is ${found.state}; its key ended with it.`);
  if (found.overdue === true) throw refused(`The run ${found.run} is over its time; its key ended with it.`);
  if (found.run === null && found.stale)
    await db.query(`update token set last_used_at = now() where id = $1`, [found.id]);
  const policy = ModelPolicy.parse(found.model_policy ?? {});
  return {
    run: found.run,
    key: found.run === null ? found.id : null,
    task: found.task,
    project: found.project,
    worker: found.worker,
    payers: payersOfKey(found),
    where: found.project_name === null ? `The key ${found.name}` : `The project ${found.project_name}`,
    model: found.model ?? '',
    policy: {
      allow: [policy.allow, found.models ?? []],
      external: policy.external || found.external,
      cacheAnswers: policy.cacheAnswers,
      keepPrompts: policy.keepPrompts,
    },
    limits: found.run === null ? {} : found.limits,
    cause: found.again === true ? 'platform' : 'agent',
  };
}

/** The person of a run is who made its task; a key counts for its own name. */
function payersOfKey(found: Record<string, string | number | null>): Payers {
  const { run, task, agent, worker, project_name: project, created_by, name } = found;
  return payersOf({ project, task, run, agent, worker, person: run === null ? name : created_by });
}

function refused(message: string): AutocodeError {
  return new AutocodeError('ERR_UNAUTHENTICATED', message, {
    remedy:
      "Send a live run's key, or one of `autocode key create`, as `Authorization: Bearer` or `x-api-key`.",
  });
}
