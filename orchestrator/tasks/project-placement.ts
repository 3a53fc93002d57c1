// Where the runs of a project may take place, and the memory that is set aside for them. Used by projects.ts.
import type { Project } from '../../protocol/project.ts';
import type { Queryable } from '../db/connect.ts';

/** What is said of it; what is left out stays as it is. */
export interface PlacementPatch {
  placement?: Project['placement'] | undefined;
  workerLabels?: string[] | undefined;
  /** Null: as the configuration says for the agent. */
  runMemoryMib?: number | null | undefined;
}

/** Keeps it in the project's row. */
export async function keepPlacement(
  tx: Queryable,
  project: number,
  { placement, workerLabels, runMemoryMib }: PlacementPatch,
): Promise<void> {
  await tx.query(
    `update project set placement = coalesce($2, placement), worker_labels = coalesce($3, worker_labels),
       run_memory_mib = case when $4 then $5 else run_memory_mib end where id = $1`,
    [project, placement ?? null, workerLabels ?? null, runMemoryMib !== undefined, runMemoryMib ?? null],
  );
}
