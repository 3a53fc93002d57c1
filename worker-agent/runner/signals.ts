// Waits at the orchestrator for a cancel, so that it arrives at once and not with the next heartbeat, and for messages.
// Used by the runner.
import { setTimeout as delay } from 'node:timers/promises';
import type { RunApi } from './api.ts';
import type { Inbox } from './inbox.ts';
import { isNotOurs } from './ownership.ts';
import type { Stopper } from './stop.ts';

const WAIT_SECONDS = 25;
const PAUSE_MS = 1_000;

/** Polls until the run stops for whatever reason. */
export async function watchSignals(api: Pick<RunApi, 'signals'>, inbox: Inbox, stop: Stopper): Promise<void> {
  while (!stop.signal.aborted) {
    try {
      const { cancel, messages } = await api.signals(WAIT_SECONDS, inbox.last());
      inbox.add(messages);
      if (cancel) stop.stop('cancelled', 'The run was cancelled.');
    } catch (error) {
      if (isNotOurs(error)) return; // the heartbeat finds out why
      await delay(PAUSE_MS, undefined, { signal: stop.signal }).catch(() => {});
    }
  }
}
