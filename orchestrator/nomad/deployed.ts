// What there is of ours in Nomad now: the jobs of workers with how far each is, and all about one allocation. Used by the routes
// under /fleet.
import type { FleetAllocationDetails, FleetJob } from '../../protocol/fleet.ts';
import type { NomadSettings } from '../config/nomad-settings.ts';
import type { Allocation, Job } from './answers.ts';
import { shortageOf } from './capacity.ts';
import type { NomadClient } from './client.ts';
import { shownAllocation, stateOf } from './rollout.ts';

/** The jobs that are deployed: of workers that stay, and of those for single runs. */
export async function deployedJobs(nomad: NomadClient, settings: NomadSettings): Promise<FleetJob[]> {
  const [service, dispatch] = await Promise.all([nomad.job(settings.job), nomad.job(settings.runJob)]);
  const isDeployed = (job: Job | undefined) => job !== undefined && job.Stop !== true;
  const found = [
    isDeployed(service) && serviceJob(nomad, service!),
    isDeployed(dispatch) && dispatchJob(nomad, dispatch!),
  ];
  return await Promise.all(found.filter((each) => each !== false));
}

async function serviceJob(nomad: NomadClient, job: Job): Promise<FleetJob> {
  const [{ value: deployment }, allocations, evaluations] = await Promise.all([
    nomad.latestDeployment(job.ID),
    nomad.allocations(job.ID),
    nomad.evaluations(job.ID),
  ]);
  const version = job.Version ?? 0;
  const wanted = allocations.filter(({ desired }) => desired === 'run');
  const running = wanted.filter(({ status }) => status === 'running').length;
  const desired = job.TaskGroups.reduce((sum, group) => sum + (group.Count ?? 1), 0);
  const blocked = evaluations.find(({ status }) => status === 'blocked');
  // A change of the count alone has no deployment, and one that has ended says nothing of what came after.
  const current = deployment?.jobVersion === version ? deployment : undefined;
  const goesOn = current !== undefined && current.status !== 'successful';
  return {
    job: job.ID,
    mode: 'service',
    version,
    ...(goesOn ? await stateOf(nomad, current) : settled(running, desired)),
    desired,
    placed: wanted.length,
    healthy: goesOn ? current.groups.reduce((sum, { healthy }) => sum + healthy, 0) : running,
    shortage: blocked === undefined ? [] : shortageOf(blocked.failures),
  };
}

function settled(running: number, desired: number): Pick<FleetJob, 'state' | 'description'> {
  return running >= desired
    ? { state: 'healthy', description: 'All workers run.' }
    : { state: 'running', description: `${running} of ${desired} workers run.` };
}

async function dispatchJob(nomad: NomadClient, job: Job): Promise<FleetJob> {
  const all = (await nomad.allocations()).filter((each) => each.job.startsWith(`${job.ID}/`));
  const wanted = all.filter(({ desired, status }) => desired === 'run' && status !== 'complete');
  return {
    job: job.ID,
    mode: 'dispatch',
    version: job.Version ?? 0,
    state: 'healthy',
    description: 'An allocation for each run that waits for one.',
    desired: wanted.length,
    placed: wanted.length,
    healthy: wanted.filter(({ status }) => status === 'running').length,
    shortage: [],
  };
}

/** All about one: what happened to it, and the memory that it takes. */
export async function allocationDetails(
  nomad: NomadClient,
  allocation: Allocation,
): Promise<FleetAllocationDetails> {
  const events = Object.values(allocation.tasks).flatMap((task) => task.events);
  // Its node may be out of sight: that is told by its state.
  const usedMib =
    allocation.status === 'running' ? await nomad.memoryOf(allocation.id).catch(() => null) : null;
  return {
    ...shownAllocation(allocation),
    usedMib,
    events: events
      .toSorted((a, b) => b.time.getTime() - a.time.getTime())
      .map(({ time, type, message }) => ({ at: time.toISOString(), type, message })),
  };
}
