// Whether an agent and a model can talk: known before a task is made, from what workers say of their agents. Used by create.ts.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Protocol } from '../../protocol/model.ts';
import type { Queryable } from '../db/connect.ts';

/** What can be spoken with a model, by its name; undefined where there is no such model. */
export type SpokenBy = (model: string) => readonly Protocol[] | undefined;

/** ERR_MODEL_UNSUITED when the model cannot be spoken to in the agent's protocol. What no worker has told is found out by the run. */
export async function checkSpoken(
  tx: Queryable,
  agent: string,
  model: string,
  spokenBy: SpokenBy,
): Promise<void> {
  const spoken = spokenBy(model);
  if (spoken === undefined) return;
  const { rows } = await tx.query<{ protocol: Protocol }>(
    `select a->>'protocol' as protocol from worker, jsonb_array_elements(agents) a
     where a->>'name' = $1 and a->>'protocol' is not null limit 1`,
    [agent],
  );
  const protocol = rows[0]?.protocol;
  if (protocol === undefined || spoken.includes(protocol)) return;
  throw new AutocodeError(
    'ERR_MODEL_UNSUITED',
    `The agent ${agent} speaks ${protocol}, which the model ${model} does not: it speaks ${spoken.join(', ')}.`,
    { remedy: 'Choose another model (`autocode model list`) or another agent (`autocode agent list`).' },
  );
}
