// Registers the worker and asks for work as long as there is room for a run: one outbound long-poll at a time.
// Used by main.ts.
import { setTimeout as delay } from 'node:timers/promises';
import type { AutocodeError } from '../protocol/errors.ts';
import { wordsOf, type Abilities } from './abilities.ts';
import { isAway, type Api } from './api-client.ts';
import { claim, offered, openApi, register, type ClaimerParts } from './registration.ts';

const WAIT_SECONDS = 25;
const SHORTEST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
/** After a refusal: somebody has to do something first. */
const REFUSED_PAUSE_MS = 10_000;

/** Claims runs until the signal aborts. Starts over, with growing pauses, whenever the orchestrator is away. */
export async function claimRuns(parts: ClaimerParts, signal: AbortSignal): Promise<void> {
  const { config, log, health } = parts;
  let pause = SHORTEST_PAUSE_MS;
  let told = '';
  while (!signal.aborted) {
    try {
      const api = await openApi(config);
      const abilities = await register(parts, api, signal);
      health?.tell(true);
      pause = SHORTEST_PAUSE_MS;
      told = '';
      await pollWhileRegistered(parts, api, abilities, signal);
    } catch (error) {
      if (signal.aborted) return;
      const { message, remedy } = error as AutocodeError;
      const words = [message, remedy].filter(Boolean).join(' ');
      health?.tell(false, words);
      if (words !== told) log.warn(words);
      told = words;
      await delay((isAway(error) ? pause : REFUSED_PAUSE_MS) * (0.5 + Math.random()), undefined, {
        signal,
      }).catch(() => {});
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  }
}

/** Polls until what can be done here has changed, so that the worker must register anew. */
async function pollWhileRegistered(
  parts: ClaimerParts,
  api: Api,
  abilities: Abilities,
  signal: AbortSignal,
): Promise<void> {
  const { config, runners, log } = parts;
  while (!signal.aborted) {
    if (wordsOf(await offered(parts)) !== wordsOf(abilities)) return;
    if (runners.runs().length >= config.concurrency) {
      await runners.changed(signal);
      continue;
    }
    const claimId = await runners.openClaim();
    const order = await claim(api, config.name, { claimId, waitSeconds: WAIT_SECONDS }, signal);
    if (order === null) continue;
    if (order === 'ended') {
      log.info(`claim ${claimId} is of a run that has ended`);
      await runners.closeClaim(claimId);
    } else await runners.start(claimId, order);
  }
}
