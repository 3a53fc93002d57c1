// What can be done on this machine: which agents are installed, which isolations a run can have, what there is for runs. Told to the orchestrator by the
// claimer, and by the runner service to its claimers.
import { z } from 'zod';
import { Resources } from '../protocol/placement.ts';
import { Isolation } from '../protocol/project.ts';
import { WorkerInput } from '../protocol/worker.ts';

export const Abilities = z.object({
  agents: WorkerInput.shape.agents,
  isolations: z.array(Isolation),
  /** Why there is no sandbox of the usual kind, with what to do; null when there is one. */
  missing: z.string().nullable(),
  resources: Resources,
});
export type Abilities = z.infer<typeof Abilities>;

/** Abilities in one line, also to tell whether they have changed. */
export function wordsOf({ agents, isolations, resources }: Abilities): string {
  const names = agents.map(({ name, version }) => (version === null ? name : `${name} ${version}`));
  const { memoryMib, cores, diskMib } = resources;
  const machine = `${memoryMib} MiB of memory, ${cores} cores, ${diskMib} MiB of disk free`;
  return `agents: ${names.join(', ') || 'none'}; isolation: ${isolations.join(', ')}; ${machine}`;
}
