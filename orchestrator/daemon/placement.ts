// The chores of a fleet: dispatching allocations, keeping the count of workers, comparing both sides. Loaded by main.ts only where
// Nomad is configured. Nomad may be away: each tries again.
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Log } from '../../telemetry/log.ts';
import { runNeeds } from '../config/placement-settings.ts';
import type { Config } from '../config/schema.ts';
import type { Database } from '../db/connect.ts';
import { onNotify } from '../db/notifications.ts';
import { autoscaleOnce } from '../placement/autoscaler.ts';
import type { Difference } from '../placement/differences.ts';
import { dispatchOnce } from '../placement/dispatcher.ts';
import type { Fleet } from '../placement/fleet.ts';
import { findDifferences, lasting, mend } from '../placement/reconcile.ts';
import type { Chore } from '../tasks/scheduler.ts';

const RETRY_SECONDS = 5;
/** Without a change of the queue; allocations end without one. */
const LOOK_MS = 5_000;
const SCALE_SECONDS = 10;
const RECONCILE_SECONDS = 60;

type Warns = Pick<Log, 'warn'>;

/** What the scheduler does for the fleet. */
export function placementChores(fleet: Fleet, config: Config, db: Database, log: Warns): Chore[] {
  const needs = runNeeds(config.placement);
  const { timeZone } = config.budget;
  const { dispatch } = config.placement;
  const settings = config.nomad?.autoscale;
  const chores = [reconciliation(fleet, db, log)];
  if (dispatch !== undefined) {
    const parts = { db, fleet, needs, max: dispatch.max, timeZone };
    const run = async (signal: AbortSignal) =>
      await atEachChange(db, signal, async () => void (await dispatchOnce(parts)));
    chores.push({ name: 'dispatch', everySeconds: RETRY_SECONDS, run });
  }
  if (settings !== undefined) {
    const parts = { db, fleet, settings, needs, timeZone };
    const run = async () => await autoscaleOnce(parts);
    chores.push({ name: 'autoscaling', everySeconds: SCALE_SECONDS, run });
  }
  return chores.map((chore) => toldOnce(chore, log));
}

function reconciliation(fleet: Fleet, db: Database, log: Warns): Chore {
  let before: Difference[] = [];
  return {
    name: 'reconciliation of the fleet',
    everySeconds: RECONCILE_SECONDS,
    run: async () => {
      const now = await findDifferences(db, fleet);
      for (const difference of lasting(before, now))
        if (await mend(db, fleet, difference))
          log.warn(`mended: ${difference.kind} ${difference.what}: ${difference.why}`);
      before = now;
    },
  };
}

/** Looks whenever the queue has changed, and every few seconds, until the signal aborts. */
async function atEachChange(db: Database, signal: AbortSignal, look: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    const changed = new AbortController();
    const forget = await onNotify(db, 'queue', () => changed.abort());
    try {
      await look();
      const either = AbortSignal.any([signal, changed.signal]);
      await delay(LOOK_MS, undefined, { signal: either }).catch(() => {});
    } finally {
      forget();
    }
  }
}

// A cluster that is away is told of once, not with every try.
function toldOnce(chore: Chore, log: Warns): Chore {
  let told = '';
  const run = async (signal: AbortSignal) => {
    try {
      await chore.run(signal);
      told = '';
    } catch (error) {
      if (!(error instanceof AutocodeError)) throw error;
      if (error.message !== told)
        log.warn(`${chore.name} waits: ${error.message} ${error.remedy ?? ''}`.trim(), { part: 'nomad' });
      told = error.message;
    }
  };
  return { ...chore, run };
}
