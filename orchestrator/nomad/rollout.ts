// How far a deployment is, from the evaluation of its submission on: placed, healthy, taken back. Nothing of it is kept here.
// Used by the routes under /fleet; `stateOf` by deployed.ts.
import type { FleetAllocation, Rollout } from '../../protocol/fleet.ts';
import type { NomadSettings } from '../config/nomad-settings.ts';
import type { Allocation, Deployment, Evaluation } from './answers.ts';
import { shortageOf } from './capacity.ts';
import type { NomadClient } from './client.ts';

/** The state now. */
export async function rolloutOf(nomad: NomadClient, evaluationId: string): Promise<Rollout> {
  const { value: evaluation } = await nomad.evaluation(evaluationId);
  const shortage = shortageOf(evaluation.failures);
  const { job } = evaluation;
  const base = { job, desired: 0, healthy: 0, shortage, allocations: [] };
  if (evaluation.status === 'pending')
    return { ...base, state: 'pending', description: 'Nomad decides where.' };
  if (evaluation.status === 'failed' || evaluation.status === 'canceled')
    return {
      ...base,
      state: 'failed',
      description: evaluation.description || `evaluation ${evaluation.status}`,
    };
  const { deployment: id } = evaluation;
  if (id === null) return await withoutDeployment(nomad, evaluation, base);
  const [{ value: deployment }, allocations] = await Promise.all([
    nomad.deployment(id),
    nomad.allocations(job),
  ]);
  const { state, description } = await stateOf(nomad, deployment);
  const sum = (part: 'desired' | 'healthy') => deployment.groups.reduce((all, group) => all + group[part], 0);
  return {
    job,
    state,
    description,
    desired: sum('desired'),
    healthy: sum('healthy'),
    // An evaluation that was blocked is followed by another; what is placed meanwhile lacks no more.
    shortage: deployment.groups.every(({ placed, desired }) => placed >= desired) ? [] : shortage,
    allocations: allocations
      .filter(({ jobVersion, desired }) => jobVersion === deployment.jobVersion || desired === 'run')
      .map(shownAllocation),
  };
}

/** Whether an allocation is a worker of this installation: of the service, or dispatched. */
export function isOurs({ job, runJob }: NomadSettings, allocation: Allocation): boolean {
  return allocation.job === job || allocation.job.startsWith(`${runJob}/`);
}

// Events that say why a task failed; those after them say only that it did.
const CAUSES = new Set(['Terminated', 'Driver Failure', 'Setup Failure', 'Failed Validation', 'Template']);

/** An allocation as it is shown to people. */
export function shownAllocation(allocation: Allocation): FleetAllocation {
  const tasks = Object.values(allocation.tasks);
  const events = tasks.flatMap((task) => task.events).sort((a, b) => a.time.getTime() - b.time.getTime());
  const failed = tasks.some((task) => task.failed);
  const cause = failed ? events.findLast(({ type }) => CAUSES.has(type)) : undefined;
  return {
    id: allocation.id,
    name: allocation.name,
    job: allocation.job,
    version: allocation.jobVersion,
    node: allocation.node.name,
    state: allocation.status,
    wanted: allocation.desired === 'run',
    healthy: allocation.healthy,
    restarts: tasks.reduce((sum, task) => sum + task.restarts, 0),
    message: (cause ?? events.at(-1))?.message || allocation.description,
    since: allocation.created.toISOString(),
    changedAt: allocation.modified.toISOString(),
    memoryMib: allocation.memoryMib,
  };
}

// Fewer workers, and a job that is only dispatched, need no deployment.
async function withoutDeployment(
  nomad: NomadClient,
  evaluation: Evaluation,
  base: Omit<Rollout, 'state' | 'description'>,
): Promise<Rollout> {
  if (base.shortage.length > 0) return { ...base, state: 'running', description: 'Nomad has no room yet.' };
  const allocations = (await nomad.allocations(evaluation.job)).filter(({ desired }) => desired === 'run');
  return {
    ...base,
    state: 'healthy',
    description: 'Nothing had to be rolled out.',
    desired: allocations.length,
    healthy: allocations.filter(({ status }) => status === 'running').length,
    allocations: allocations.map(shownAllocation),
  };
}

const STATES: Record<string, Rollout['state']> = {
  successful: 'healthy',
  failed: 'failed',
  cancelled: 'replaced',
  blocked: 'running',
};

/** How far a deployment is by itself, and by the one that takes it back. */
export async function stateOf(
  nomad: NomadClient,
  { job, jobVersion, status, description }: Deployment,
): Promise<Pick<Rollout, 'state' | 'description'>> {
  const state = STATES[status] ?? 'running';
  const back = /rolling back to job version (\d+)/.exec(description)?.[1];
  if (state !== 'failed' || back === undefined) return { state, description };
  const { value: next } = await nomad.latestDeployment(job);
  const begun = next !== undefined && next.jobVersion > jobVersion;
  if (begun && next.status === 'successful')
    return { state: 'reverted', description: `${description}: version ${back} runs again` };
  if (begun && STATES[next.status] === 'failed')
    return { state: 'failed', description: `${description}, and that failed too: ${next.description}` };
  return { state: 'reverting', description };
}
