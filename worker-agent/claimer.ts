// Registers the worker and asks for work as long as there is room for a run: one outbound long-poll at a time.
// Used by main.ts.
import { mkdir, readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { AutocodeError } from '../protocol/errors.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import { WorkerAnswer, WorkOrder } from '../protocol/worker.ts';
import type { Log } from '../telemetry/log.ts';
import { installedAgents } from './agents/installed.ts';
import { apiClient, isAway, type Api } from './api-client.ts';
import { closeClaim, forgetClaims, openClaim } from './claims.ts';
import { programPath, type WorkerConfig } from './config.ts';
import { writeDurably } from './durable-file.ts';
import type { RunnerPool } from './runner-pool.ts';
import { offeredIsolations, type Offer } from './sandbox/offer.ts';

export interface ClaimerParts {
  config: Pick<
    WorkerConfig,
    'url' | 'tokenFile' | 'stateDir' | 'toolDir' | 'name' | 'concurrency' | 'project' | 'dailyBudget'
  >;
  /** Version of the product, for the list of workers. */
  version: string;
  pool: RunnerPool;
  log: Log;
}

const WAIT_SECONDS = 25;
const SHORTEST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
/** After a refusal: somebody has to do something first. */
const REFUSED_PAUSE_MS = 10_000;

/** Claims runs until the signal aborts. Starts over, with growing pauses, whenever the orchestrator is away. */
export async function claimRuns(parts: ClaimerParts, signal: AbortSignal): Promise<void> {
  const { config, log } = parts;
  let pause = SHORTEST_PAUSE_MS;
  let told = '';
  while (!signal.aborted) {
    try {
      const api = apiClient({ url: config.url, token: (await readFile(config.tokenFile, 'utf8')).trim() });
      const abilities = await register(parts, api, signal);
      log.info(`registered as ${config.name} at ${config.url}; ${wordsOf(abilities)}`);
      if (abilities.offer.missing !== null) log.warn(`runs have no sandbox here: ${abilities.offer.missing}`);
      pause = SHORTEST_PAUSE_MS;
      told = '';
      await pollWhileRegistered(parts, api, abilities, signal);
    } catch (error) {
      if (signal.aborted) return;
      const { message, remedy } = error as AutocodeError;
      const words = [message, remedy].filter(Boolean).join(' ');
      if (words !== told) log.warn(words);
      told = words;
      await delay((isAway(error) ? pause : REFUSED_PAUSE_MS) * (0.5 + Math.random()), undefined, {
        signal,
      }).catch(() => {});
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  }
}

/** Tells the orchestrator of this worker. Runs and caches kept for another installation are dropped. Answers with what it was told. */
async function register(
  { config, version, pool, log }: ClaimerParts,
  api: Api,
  signal: AbortSignal,
): Promise<Abilities> {
  const abilities = await abilitiesOf(config, null);
  const answer = await api({
    method: 'PUT',
    path: `/workers/${config.name}`,
    json: {
      protocol: PROTOCOL_VERSION,
      version,
      capacity: config.concurrency,
      agents: abilities.agents,
      isolations: abilities.offer.isolations,
      host: os.hostname(),
      ...(config.project === undefined ? {} : { project: config.project }),
      ...(config.dailyBudget === undefined ? {} : { dailyBudget: Math.round(config.dailyBudget * 1e6) }),
    },
    answer: WorkerAnswer,
    signal,
  });
  const file = path.join(config.stateDir, 'installation');
  const before = await readFile(file, 'utf8').catch(() => null);
  if (before !== null && before !== answer.installation) {
    log.warn(`this worker kept runs of another installation (${before}); they are stopped and removed`);
    await pool.discard();
    await forgetClaims(config.stateDir);
  }
  if (before !== answer.installation) {
    await mkdir(config.stateDir, { recursive: true });
    await writeDurably(file, answer.installation);
  }
  return abilities;
}

/** Polls until what can be done here has changed, so that the worker must register anew. */
async function pollWhileRegistered(
  { config, pool, log }: ClaimerParts,
  api: Api,
  abilities: Abilities,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    if (wordsOf(await abilitiesOf(config, abilities)) !== wordsOf(abilities)) return;
    if (pool.size >= config.concurrency) {
      await pool.changed(signal);
      continue;
    }
    const claimId = await openClaim(config.stateDir);
    const order = await claim(api, config.name, claimId, signal);
    if (order === null) continue;
    if (order === 'ended') log.info(`claim ${claimId} is of a run that has ended`);
    else await pool.start(order);
    await closeClaim(config.stateDir, claimId);
  }
}

async function claim(
  api: Api,
  worker: string,
  claimId: string,
  signal: AbortSignal,
): Promise<WorkOrder | null | 'ended'> {
  try {
    return await api({
      method: 'POST',
      path: `/workers/${worker}/claim`,
      json: { claimId, waitSeconds: WAIT_SECONDS },
      answer: z.union([WorkOrder, z.null()]),
      timeoutMs: (WAIT_SECONDS + 15) * 1000,
      signal,
    });
  } catch (error) {
    if (error instanceof AutocodeError && error.code === 'ERR_STATE') return 'ended';
    throw error;
  }
}

interface Abilities {
  agents: { name: string; version: string | null }[];
  offer: Offer;
}

// A sandbox that could be made is not tried again: the start of each run does.
async function abilitiesOf(
  { toolDir }: Pick<WorkerConfig, 'toolDir'>,
  before: Abilities | null,
): Promise<Abilities> {
  const offer = before?.offer.missing === null ? before.offer : await offeredIsolations(programPath());
  return { agents: await installedAgents(toolDir), offer };
}

function wordsOf({ agents, offer }: Abilities): string {
  const names = agents.map(({ name, version }) => (version === null ? name : `${name} ${version}`));
  return `agents: ${names.join(', ') || 'none'}; isolation: ${offer.isolations.join(', ')}`;
}
