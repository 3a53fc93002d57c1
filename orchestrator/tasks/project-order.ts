// What a project says about the order of its work. Used by projects.ts; the sweep and the claim go by it.
import type { Project } from '../../protocol/project.ts';
import type { Queryable } from '../db/connect.ts';

/** What is said of it; what is left out stays as it is. */
export interface OrderPatch {
  afterChange?: Project['afterChange'] | undefined;
  /** Null: as configured. */
  maxRuns?: number | null | undefined;
  /** Null: as configured. */
  quietHours?: Project['quietHours'] | undefined;
}

/** Keeps it in the project's row. */
export async function keepOrder(
  tx: Queryable,
  project: number,
  { afterChange, maxRuns, quietHours }: OrderPatch,
): Promise<void> {
  await tx.query(
    `update project set after_change = coalesce($2, after_change), max_runs = case when $3 then $4 else max_runs end,
       quiet_hours = case when $5 then $6::jsonb else quiet_hours end where id = $1`,
    [
      project,
      afterChange ?? null,
      maxRuns !== undefined,
      maxRuns ?? null,
      quietHours !== undefined,
      quietHours == null ? null : JSON.stringify(quietHours),
    ],
  );
}
