// Puts the jobs for workers in place: which values hold, what they would change, the worker's token in Nomad's own store, and
// the submission, which counts only against the plan that was looked at. Used by the routes under /fleet.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AutocodeError } from '../../protocol/errors.ts';
import type { DeploymentRequest, FleetDeployment, FleetMode, FleetPlan } from '../../protocol/fleet.ts';
import { replaceToken, verifyToken } from '../access/tokens.ts';
import type { NomadSettings } from '../config/nomad-settings.ts';
import type { Database } from '../db/connect.ts';
import type { Job } from './answers.ts';
import { shortageOf } from './capacity.ts';
import type { NomadClient, Variables } from './client.ts';
import { changesOf, effectsOf } from './difference.ts';

const JOBS = join(import.meta.dirname, '../../nomad/jobs');
const SHIPPED: Record<FleetMode, string> = {
  service: join(JOBS, 'autocode-worker.nomad.hcl'),
  dispatch: join(JOBS, 'autocode-run.nomad.hcl'),
};
const FIRST_COUNT = 4;

export interface DeployParts {
  db: Database;
  nomad: NomadClient;
  settings: NomadSettings;
  /** Address of the orchestrator for the VMs. */
  url: string;
  /** Certificate of the authority that workers trust there; null where that of their system suffices. */
  authority: string | null;
  version: string;
  /** Agents that there are. */
  agents: ReadonlySet<string>;
  /** Job files, where not those that ship. */
  files?: Partial<Record<FleetMode, string>>;
}

/** What a deployment would change; changes nothing. */
export async function planDeployment(parts: DeployParts, request: DeploymentRequest): Promise<FleetPlan> {
  const job = await jobFor(parts, request);
  const plan = await parts.nomad.plan(job);
  return {
    job: job.ID,
    index: plan.index,
    changes: changesOf(plan.difference),
    effects: effectsOf(plan.difference),
    shortage: shortageOf(plan.failures),
    warnings: plan.warnings,
  };
}

/** Submits it. The token is there before the first worker asks for it; a crash in between leaves a token that the next one uses. */
export async function deploy(parts: DeployParts, request: DeploymentRequest): Promise<FleetDeployment> {
  const job = await jobFor(parts, request);
  const plan = await parts.nomad.plan(job);
  const shortage = shortageOf(plan.failures);
  // What is dispatched finds room, or not, when its time has come.
  if (request.mode === 'service' && shortage.length > 0 && !request.partial)
    throw new AutocodeError('ERR_NO_CAPACITY', `Nomad has no room: ${shortage.join(' ')}.`, {
      remedy: 'Free or add nodes, ask for fewer (--count), or take what there is room for (--partial).',
      details: { shortage },
    });
  await giveCredentials(parts, job.ID);
  if (changesOf(plan.difference).length === 0) return { job: job.ID, evaluation: null };
  const { evalId } = await parts.nomad.submit(job, request.index ?? plan.index);
  return { job: job.ID, evaluation: evalId === '' ? null : evalId };
}

async function jobFor(parts: DeployParts, request: DeploymentRequest): Promise<Job> {
  const { nomad, settings, agents } = parts;
  const { mode } = request;
  if (mode === 'dispatch' && request.count !== undefined)
    throw new AutocodeError('ERR_INVALID_INPUT', 'A job that is dispatched for each run has no count.', {
      remedy: 'Leave --count out; placement.dispatch.max limits how many there are.',
    });
  if (request.agent != null && !agents.has(request.agent))
    throw new AutocodeError('ERR_AGENT_UNKNOWN', `There is no agent "${request.agent}".`, {
      remedy: `Use one of ${[...agents].sort().join(', ')}; or say what yours needs in placement.memoryMib.`,
    });
  const id = mode === 'service' ? settings.job : settings.runJob;
  const file = parts.files?.[mode] ?? SHIPPED[mode];
  const before = await nomad.job(id);
  const hcl = await readFile(file, 'utf8');
  const job = await nomad.parse(file, hcl, variablesFor(parts, request, id, before));
  return { ...job, ID: id, Name: id, Namespace: settings.namespace };
}

// What is not asked for stays as it is deployed: the job's own metadata tell.
function variablesFor(
  { settings, url, authority, version }: DeployParts,
  request: DeploymentRequest,
  job: string,
  before: Job | undefined,
): Variables {
  const { worker, datacenters } = settings;
  const was = before?.Stop === true ? undefined : before;
  const value = (asked: string | number | null | undefined, key: string) =>
    asked === undefined ? (was?.Meta?.[key] ?? '') : String(asked ?? '');
  return {
    job,
    datacenters,
    url,
    authority: authority !== null,
    version,
    agent: value(request.agent, 'agent'),
    project: value(request.project, 'project'),
    daily_budget: value(request.dailyBudget, 'daily_budget'),
    user: worker.user,
    cores: worker.cores,
    memory: worker.memoryMib,
    memory_max: Math.max(worker.memoryMaxMib, worker.memoryMib),
    ...(request.mode === 'service'
      ? { count: request.count ?? was?.TaskGroups[0]?.Count ?? FIRST_COUNT, concurrency: worker.concurrency }
      : {}),
  };
}

/** The token that workers of a job have: it is made once, and anew when it was revoked. */
async function giveCredentials({ db, nomad, authority }: DeployParts, job: string): Promise<void> {
  const path = `nomad/jobs/${job}`;
  const held = await nomad.variable(path);
  const token = held?.items['token'];
  const valid = token !== undefined && (await verifyToken(db, token))?.role === 'worker';
  const ca = authority ?? '';
  if (valid && held?.items['ca'] === ca) return;
  const items = {
    ...held?.items,
    token: valid ? token : (await replaceToken(db, { name: `nomad:${job}`, role: 'worker' })).token,
    ca,
  };
  await nomad.writeVariable(path, items, held?.index ?? 0);
}
