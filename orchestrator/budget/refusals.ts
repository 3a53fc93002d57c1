// What a run was refused for want of budget: agents do not always tell, the gateway does. Written by the gateway before it
// answers, read when the run ends.
import type { Queryable } from '../db/connect.ts';

/** Notes that a call of the run was refused just now, and why. */
export async function noteRefusal(db: Queryable, run: string, words: string): Promise<void> {
  await db.query({
    name: 'note-refusal',
    text: 'update run set over_budget = $2, over_budget_at = now() where id = $1',
    values: [run, words],
  });
}

/** Why the last call of the run was refused, if it was: none that began later came to a good end. */
export async function lastRefusal(db: Queryable, run: string): Promise<string | null> {
  const { rows } = await db.query<{ words: string }>(
    `select over_budget as words from run where id = $1 and over_budget is not null and not exists (
       select from model_call c where c.run = run.id and c.outcome = 'ok'
         and c.at - make_interval(secs => c.total_ms / 1000.0) > run.over_budget_at)`,
    [run],
  );
  return rows[0]?.words ?? null;
}
