// The runners of this process's own pool, for one worker. Used by the worker, and by the runner service for each of its claimers.
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Log } from '../telemetry/log.ts';
import type { Abilities } from './abilities.ts';
import { closeClaim, forgetClaims, openClaim } from './claims.ts';
import { writeDurably } from './durable-file.ts';
import type { RunnerPool } from './runner-pool.ts';
import type { Runners } from './runners.ts';

/** What the workers of one machine share. */
export interface Machine {
  stateDir: string;
  pool: RunnerPool;
  abilities: () => Promise<Abilities>;
  log: Log;
}

/** The runners of a machine, as the worker of this name sees them. */
export function localRunners({ stateDir, pool, abilities, log }: Machine, worker: string): Runners {
  return {
    abilities,
    runs: () => pool.runs(),
    changed: async (signal) => await pool.changed(signal),
    openClaim: async () => await openClaim(stateDir, worker),
    closeClaim: async (id) => await closeClaim(stateDir, id),
    async start(claimId, order) {
      await pool.start(order, worker);
      await closeClaim(stateDir, claimId);
    },
    async belongTo(installation) {
      const file = path.join(stateDir, 'installation');
      const before = await readFile(file, 'utf8').catch(() => null);
      if (before === installation) return;
      if (before !== null) {
        log.warn(`runs of another installation (${before}) are kept here; they are stopped and removed`);
        await pool.discard();
        await forgetClaims(stateDir);
      }
      await mkdir(stateDir, { recursive: true });
      await writeDurably(file, installation);
    },
  };
}
