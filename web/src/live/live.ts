// The one live connection of this browser. The tab that holds the lock reads the stream and tells the others; when it goes, the
// next one goes on after the last event that it knows itself, so that none of them misses one or sees one twice.
import { useEffect, useSyncExternalStore } from 'react';
import type { Event } from '../../../protocol/event.ts';
import { queries } from '../api/queries.ts';
import { askWhoAgain } from '../session/session.ts';
import { isAfter, readStream, type LiveState, type Told } from './stream.ts';

const LATEST = '/api/v1/events?after=latest';
const LONGEST_PAUSE_MS = 5000;

const listeners = new Set<(event: Event) => void>();
const watchers = new Set<() => void>();
let state: LiveState = 'connecting';
let last: string | undefined;

/** Begins to read, or to listen to the tab that does; gives the way to stop. */
export function startLive(): () => void {
  const stop = new AbortController();
  const channel = new BroadcastChannel('autocode-live');
  let holds = false;
  const hear = (told: Told) => {
    if (told.kind === 'state') show(told.state);
    else if (told.kind === 'event') take(told.event);
    else if (holds) channel.postMessage({ kind: 'state', state } satisfies Told);
  };
  channel.onmessage = ({ data }: MessageEvent<Told>) => {
    // The tab that reads may have been refused, or let in again.
    if (data.kind === 'state' && state !== 'connecting' && data.state !== state) void askWhoAgain(queries);
    hear(data);
  };
  const tell = (told: Told) => {
    hear(told);
    channel.postMessage(told);
  };
  navigator.locks
    .request('autocode-live', { signal: stop.signal }, async () => {
      holds = true;
      await follow(tell, stop.signal);
    })
    .catch(() => {}); // the page goes before it got its turn
  channel.postMessage({ kind: 'question' } satisfies Told);
  // What came between the load of a page and its first word of another tab's is asked for anew.
  void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' });
  return () => {
    stop.abort();
    channel.close();
    last = undefined;
  };
}

async function follow(tell: (told: Told) => void, signal: AbortSignal): Promise<void> {
  for (let pause = 250; !signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const anew = last === undefined;
    try {
      const onOpen = () => {
        pause = 250;
        tell({ kind: 'state', state: 'live' });
      };
      for await (const { id, event, data } of readStream(LATEST, last, signal, onOpen)) {
        if (event !== 'latest') tell({ kind: 'event', event: JSON.parse(data) as Event });
        else if (anew) {
          last = id;
          void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' });
        }
      }
    } catch {
      // it is tried again below
    }
    if (signal.aborted) return;
    tell({ kind: 'state', state: 'away' });
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function take(event: Event): void {
  if (last !== undefined && !isAfter(event.id, last)) return;
  last = event.id;
  for (const listener of listeners) listener(event);
}

function show(next: LiveState): void {
  state = next;
  for (const watcher of watchers) watcher();
}

/** Whether the page hears of what happens. */
export function useLiveState(): LiveState {
  return useSyncExternalStore(
    (watch) => {
      watchers.add(watch);
      return () => watchers.delete(watch);
    },
    () => state,
  );
}

/** Calls back with every event, each once, in order. The listener must be stable. */
export function useEvents(listener: (event: Event) => void): void {
  useEffect(() => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, [listener]);
}
