// What a run has spent, what binds it, and whether it may go on: the answer that agents, pipelines and people get. Used by the API.
import type { RunBudget } from '../../protocol/budget.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Queryable } from '../db/connect.ts';
import type { Amounts } from './amounts.ts';
import type { Books } from './charge.ts';
import { budgetsOf } from './limits.ts';
import { payersOf, type Payers } from './payers.ts';
import { lastRefusal } from './refusals.ts';
import { overBudget } from './words.ts';

/** As the ledger has it now; ERR_NOT_FOUND for a run that does not exist. */
export async function runBudget(
  db: Queryable,
  run: string,
  { timeZone, currency }: Books,
): Promise<RunBudget> {
  const { payers, spent } = await accountOf(db, run);
  const own = await heldBy(db, run);
  const refused = await lastRefusal(db, run);
  const budgets = (await budgetsOf(db, payers, timeZone)).map(({ held, ...budget }) => {
    const byOthers = held - own[budget.unit];
    return { ...budget, held: byOthers, left: budget.amount - budget.spent - byOthers };
  });
  const usedUp = budgets.find(({ left }) => left <= 0);
  const reason = usedUp === undefined ? refused : overBudget(usedUp, currency).message;
  return { currency, spent, budgets, refused, ok: reason === null, reason };
}

interface Account {
  payers: Payers;
  spent: RunBudget['spent'];
}

async function accountOf(db: Queryable, run: string): Promise<Account> {
  const { rows } = await db.query<{ payers: Parameters<typeof payersOf>[0]; spent: Account['spent'] }>({
    name: 'run-account',
    text: `select jsonb_build_object('project', p.name, 'task', t.id, 'run', r.id, 'agent', r.agent,
          'worker', r.worker, 'person', t.created_by) as payers,
        (select jsonb_build_object('calls', count(*), 'inputTokens', coalesce(sum(input_tokens), 0),
            'cachedTokens', coalesce(sum(cached_tokens), 0), 'outputTokens', coalesce(sum(output_tokens), 0))
          from model_call where run = r.id)
        || (select jsonb_build_object('money', coalesce(sum(money), 0), 'tokens', coalesce(sum(tokens), 0), 'gpu', coalesce(sum(gpu), 0))
          from account_day where scope = 'run' and subject = r.id) as spent
      from run r join task t on t.id = r.task join project p on p.id = t.project where r.id = $1`,
    values: [run],
  });
  if (rows[0] === undefined)
    throw new AutocodeError('ERR_NOT_FOUND', `There is no run ${run}.`, {
      remedy: 'See `autocode run list`.',
    });
  return { ...rows[0], payers: payersOf(rows[0].payers) };
}

/** What is left of the slab that the run's calls draw on. */
async function heldBy(db: Queryable, run: string): Promise<Amounts> {
  const { rows } = await db.query<Amounts>({
    name: 'run-held',
    text: `select coalesce(sum(money), 0)::bigint as money, coalesce(sum(tokens), 0)::bigint as tokens, coalesce(sum(gpu), 0)::bigint as gpu
      from slab where state = 'open' and payers ->> 'run' = $1`,
    values: [run],
  });
  return rows[0]!;
}
