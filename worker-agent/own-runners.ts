// Runners of this process's own pool, looked after until the signal aborts: adopted, watched, reconciled.
// Used by the worker that starts its runs itself, and by the runner service.
import type { Log } from '../telemetry/log.ts';
import { programPath, socketBase, type RunnerServiceConfig } from './config.ts';
import { findAbilities } from './find-abilities.ts';
import type { Machine } from './local-runners.ts';
import { keepReconciled } from './reconcile.ts';
import { RunnerPool } from './runner-pool.ts';
import { overlayLaunch, type Launch } from './workspace/overlay.ts';

/** Opens the pool of a state directory, which this process has locked. `kept` ends with the signal, and nothing half done. */
export async function openOwnRunners(
  config: Omit<RunnerServiceConfig, 'socket' | 'tokenFile'>,
  log: Log,
  signal: AbortSignal,
): Promise<{ machine: Machine; kept: Promise<unknown> }> {
  const { stateDir, toolDir } = config;
  const pool = new RunnerPool({ ...config, launch: await launchOf(config, log, signal) }, log);
  await pool.adopt();
  const places = { stateDir, socketBase: socketBase(), pool };
  return {
    machine: { stateDir, pool, abilities: findAbilities({ toolDir, stateDir }), log },
    kept: Promise.all([pool.watch(signal), keepReconciled(places, log, signal)]),
  };
}

/** How runners are started so that they can mount; empty where that is not wanted or not possible. */
async function launchOf(
  { workspace, stateDir }: Pick<RunnerServiceConfig, 'workspace' | 'stateDir'>,
  log: Log,
  signal: AbortSignal,
): Promise<Launch> {
  if (!workspace.overlay) return [];
  const { launch, refused } = await overlayLaunch({ path: programPath(), signal }, stateDir);
  if (refused !== null)
    log.warn(`work trees are checkouts, which take longer: no overlay can be mounted here: ${refused}`);
  return launch;
}
