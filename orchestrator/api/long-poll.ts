// Waits for an answer worth giving: asks, then asks again at each notification, until time is up or the client has gone.
import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { onNotify } from '../db/notifications.ts';
import type { ApiContext } from './context.ts';

const BACKSTOP_MS = 5_000;

/** Asks until `done(answer)`, and gives the last answer when the time is up. */
export async function untilNotified<T>(
  { db, stopping }: Pick<ApiContext, 'db' | 'stopping'>,
  wait: { channel: string; payload?: string; seconds: number; closed: IncomingMessage },
  ask: () => Promise<T>,
  done: (answer: T) => boolean,
): Promise<T> {
  const until = Date.now() + wait.seconds * 1000;
  const gone = new AbortController();
  wait.closed.socket.once('close', () => gone.abort());
  const ended = AbortSignal.any([gone.signal, stopping]);
  for (;;) {
    const woken = new AbortController();
    const forget = await onNotify(db, wait.channel, (payload) => {
      if (payload === undefined || wait.payload === undefined || payload === wait.payload) woken.abort();
    });
    try {
      const answer = await ask();
      const left = until - Date.now();
      if (done(answer) || left <= 0 || ended.aborted) return answer;
      await delay(Math.min(left, BACKSTOP_MS), undefined, {
        signal: AbortSignal.any([ended, woken.signal]),
      }).catch(() => {});
    } finally {
      forget();
    }
  }
}
