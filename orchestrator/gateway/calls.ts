// Model calls of a run, for the API.
import type { ModelCall } from '../../protocol/model.ts';
import type { Queryable } from '../db/connect.ts';

/** The calls of a run, oldest first; all, or those of some requests. */
export async function listCalls(db: Queryable, run: string, requests?: string[]): Promise<ModelCall[]> {
  const { rows } = await db.query(
    `select id, run, key, worker, at, protocol, model_asked as "modelAsked", model_served as "modelServed", input_tokens as "inputTokens",
       cached_tokens as "cachedTokens", output_tokens as "outputTokens", reasoning_tokens as "reasoningTokens", usage_source as "usageSource", cost_micros as "costMicros",
       status, outcome, cause, fallback, queue_ms as "queueMs", first_byte_ms as "firstByteMs", total_ms as "totalMs"
     from model_call where run = $1 and ($2::text[] is null or request::text = any($2)) order by id`,
    [run, requests ?? null],
  );
  return rows.map((row: Omit<ModelCall, 'at'> & { at: Date }) => ({ ...row, at: row.at.toISOString() }));
}
