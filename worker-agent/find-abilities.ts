// Finds out what can be done on this machine. Used where runs are started: by the worker with runners of its own, and the runner service.
import type { Abilities } from './abilities.ts';
import { installedAgents } from './agents/installed.ts';
import { programPath } from './config.ts';
import { machineResources } from './resources.ts';
import { offeredIsolations, type Offer } from './sandbox/offer.ts';

interface Places {
  toolDir: string;
  stateDir: string;
}

/** Looks anew at each call; free disk space is that of the state directory. A sandbox that could be made is not tried again: the start of each run does. */
export function findAbilities({ toolDir, stateDir }: Places): () => Promise<Abilities> {
  let offer: Offer | null = null;
  return async () => {
    if (offer?.missing !== null) offer = await offeredIsolations(programPath());
    const resources = await machineResources(stateDir);
    return { agents: await installedAgents(toolDir), resources, ...offer };
  };
}
