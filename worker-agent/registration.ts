// What a worker says to the orchestrator: who it is and what it can do, and that it wants a run. Used by claimer.ts and claim-once.ts.
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { z } from 'zod';
import { AutocodeError } from '../protocol/errors.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import { WorkerAnswer, WorkOrder } from '../protocol/worker.ts';
import type { Log } from '../telemetry/log.ts';
import { wordsOf, type Abilities } from './abilities.ts';
import { apiClient, type Api } from './api-client.ts';
import { authorityIn } from './authority.ts';
import type { WorkerConfig } from './config.ts';
import type { Health } from './health.ts';
import type { Runners } from './runners.ts';

export interface ClaimerParts {
  config: Omit<WorkerConfig, 'stateDir' | 'toolDir' | 'logDir' | 'logLevel' | 'sandbox' | 'workspace'>;
  /** Version of the product, for the list of workers. */
  version: string;
  runners: Runners;
  log: Log;
  /** Where somebody asks for it. */
  health?: Health;
}

/** The orchestrator, with the token as it is in its file now. */
export async function openApi({ url, tokenFile, caFile }: ClaimerParts['config']): Promise<Api> {
  const token = (await readFile(tokenFile, 'utf8')).trim();
  return apiClient({ url, token, ca: authorityIn(caFile) });
}

/** What this worker offers: all that can be done here, or the one agent that it was made for. */
export async function offered({ config: { agent }, runners }: ClaimerParts): Promise<Abilities> {
  const abilities = await runners.abilities();
  return agent === undefined
    ? abilities
    : { ...abilities, agents: abilities.agents.filter(({ name }) => name === agent) };
}

/** Refuses an agent that is not installed here: no registration would bring it a run. */
export async function refuseUnknownAgent({ config: { agent }, runners }: ClaimerParts): Promise<void> {
  const { agents } = await runners.abilities();
  if (agent === undefined || agents.some(({ name }) => name === agent)) return;
  throw new AutocodeError('ERR_AGENT_UNKNOWN', `The agent ${agent} is not installed on this machine.`, {
    remedy: `Installed are: ${agents.map(({ name }) => name).join(', ') || 'none'}. Install it (\`autocode agent install ${agent}\`), or give another.`,
  });
}

/** Tells the orchestrator of this worker. Runs and caches kept for another installation are dropped. Answers with what it was told. */
export async function register(parts: ClaimerParts, api: Api, signal: AbortSignal): Promise<Abilities> {
  const { config, version, runners, log } = parts;
  const abilities = await offered(parts);
  const answer = await api({
    method: 'PUT',
    path: `/workers/${config.name}`,
    json: {
      protocol: PROTOCOL_VERSION,
      version,
      capacity: config.placement === 'dispatch' ? 1 : config.concurrency,
      agents: abilities.agents,
      isolations: abilities.isolations,
      resources: abilities.resources,
      host: os.hostname(),
      labels: config.labels,
      placement: config.placement,
      allocation: config.allocation ?? null,
      clock: new Date().toISOString(),
      ...(config.project === undefined ? {} : { project: config.project }),
      ...(config.dailyBudget === undefined ? {} : { dailyBudget: Math.round(config.dailyBudget * 1e6) }),
    },
    answer: WorkerAnswer,
    signal,
  });
  await runners.belongTo(answer.installation);
  log.info(`registered as ${config.name} at ${config.url}; ${wordsOf(abilities)}`);
  if (abilities.missing !== null) log.warn(`runs have no sandbox here: ${abilities.missing}`);
  return abilities;
}

/** Asks once for a run; null when there was none within the time, `ended` when the run of this id is over. */
export async function claim(
  api: Api,
  worker: string,
  { claimId, waitSeconds }: { claimId: string; waitSeconds: number },
  signal: AbortSignal,
): Promise<WorkOrder | null | 'ended'> {
  try {
    return await api({
      method: 'POST',
      path: `/workers/${worker}/claim`,
      json: { claimId, waitSeconds },
      answer: z.union([WorkOrder, z.null()]),
      timeoutMs: Math.ceil(waitSeconds + 15) * 1000,
      signal,
    });
  } catch (error) {
    if (error instanceof AutocodeError && error.code === 'ERR_STATE') return 'ended';
    throw error;
  }
}
