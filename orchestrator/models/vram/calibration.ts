// What earlier loads really took, against what was predicted: it corrects the next prediction. Used by the supervisor
// and the plan.
import type { Queryable } from '../../db/connect.ts';

export type Calibrations = (model: string, gpus: number) => number | null;

const LOADS = 5;
// One load beside a stranger's process must not turn the planner's head.
const LEAST = 0.8;
const MOST = 1.3;

/** Measured ÷ predicted memory by model and number of GPUs, the median of the last loads; null where there was none. */
export async function calibrations(db: Queryable): Promise<Calibrations> {
  const { rows } = await db.query<{ model: string; gpus: number; ratios: number[] }>(
    `select model, gpus, array_agg(ratio) as ratios
       from (select model, jsonb_array_length(gpus) as gpus, measured_mib::float8 / predicted_mib as ratio,
                    row_number() over (partition by model, jsonb_array_length(gpus) order by began_at desc) as age
               from engine_instance
              where ready_at is not null and predicted_mib > 0 and measured_mib > 0) as load
      where age <= $1
      group by model, gpus`,
    [LOADS],
  );
  const known = new Map(rows.map(({ model, gpus, ratios }) => [`${gpus} ${model}`, median(ratios)]));
  return (model, gpus) => {
    const ratio = known.get(`${gpus} ${model}`);
    return ratio === undefined ? null : Math.min(MOST, Math.max(LEAST, ratio));
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 1;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
