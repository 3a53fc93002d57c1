// Which agents there are, as far as the orchestrator knows. Used where workers are deployed for one alone.
import { runNeeds, type PlacementSettings } from '../config/placement-settings.ts';
import type { Queryable } from '../db/connect.ts';

/** Those whose needs are known, and those that a worker has ever offered. */
export async function knownAgents(db: Queryable, placement: PlacementSettings): Promise<Set<string>> {
  const { rows } = await db.query<{ name: string }>(
    `select distinct agent->>'name' as name from worker, jsonb_array_elements(agents) as agent`,
  );
  const measured = Object.keys(runNeeds(placement).memoryMib).filter((name) => name !== '*');
  return new Set([...measured, ...rows.map(({ name }) => name)]);
}
