// The lease: a heartbeat at the rate the orchestrator asked for, the deadline it tells, and the end when it can no longer be kept.
// Used by the runner.
import { setTimeout as delay } from 'node:timers/promises';
import { AutocodeError } from '../../protocol/errors.ts';
import type { SandboxUsage } from '../../protocol/sandbox-usage.ts';
import type { WorkOrder } from '../../protocol/worker.ts';
import { isAway } from '../api-client.ts';
import type { RunApi } from './api.ts';
import { isNotOurs } from './ownership.ts';
import type { Stopper } from './stop.ts';

export interface Lease {
  /** Ends the heartbeat. */
  release(): void;
}

const RETRY_MS = 1_000;

/**
 * Keeps the lease until released, telling what the sandboxes use to an orchestrator that takes it. Stops the run when cancelled,
 * overdue, no longer ours, or cut off for too long.
 */
export function keepLease(
  api: Pick<RunApi, 'heartbeat'>,
  order: WorkOrder,
  stop: Stopper,
  usage: () => SandboxUsage,
): Lease {
  const { heartbeatSeconds, leaseSeconds, selfStopSeconds, takesUsage } = order.lease;
  const released = new AbortController();
  let deadline: NodeJS.Timeout | undefined;
  let selfStop = armSelfStop();

  function armSelfStop(): NodeJS.Timeout {
    return setTimeout(
      () => stop.stop('self-stop', `The orchestrator has not answered for ${selfStopSeconds} s.`),
      selfStopSeconds * 1000,
    );
  }

  // Both times are the orchestrator's clock; only their distance is used, so that a wrong clock here does no harm.
  function armDeadline(answer: { leaseUntil: string; deadline: string }): void {
    const left = Date.parse(answer.deadline) - (Date.parse(answer.leaseUntil) - leaseSeconds * 1000);
    clearTimeout(deadline);
    deadline = setTimeout(
      () => stop.stop('out-of-time', 'The run reached its deadline.'),
      Math.max(0, Math.min(left, 2 ** 31 - 1)),
    );
  }

  async function beat(): Promise<number> {
    try {
      const answer = await api.heartbeat(takesUsage ? usage() : undefined);
      if (released.signal.aborted) return 0;
      clearTimeout(selfStop);
      selfStop = armSelfStop();
      armDeadline(answer);
      if (answer.cancel) stop.stop('cancelled', 'The run was cancelled.');
      return heartbeatSeconds * 1000;
    } catch (error) {
      if (isNotOurs(error))
        stop.stop('stale', `The orchestrator refused the lease: ${(error as Error).message}`);
      if (!(error instanceof AutocodeError)) console.error(error); // a mistake of ours: told, and tried again
      return isAway(error) ? Math.min(RETRY_MS, heartbeatSeconds * 1000) : heartbeatSeconds * 1000;
    }
  }

  void (async () => {
    while (!released.signal.aborted) {
      const pause = await beat();
      await delay(pause, undefined, { signal: released.signal }).catch(() => {});
    }
  })();

  return {
    release() {
      released.abort();
      clearTimeout(deadline);
      clearTimeout(selfStop);
    },
  };
}
