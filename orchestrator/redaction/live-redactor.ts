// The redactor of a process: for the secrets as they are now, and as they were since it began, since an old value may still open
// something. Made by main.ts; whatever stores or shows texts asks it for the current one.
import { setTimeout as delay } from 'node:timers/promises';
import { liveValues, type LiveValue } from '../secrets/live-values.ts';
import type { SecretManager } from '../secrets/secret-manager.ts';
import { redactor, type Redactor } from './redactor.ts';

/** How often the store is asked for what others have changed; while it does not answer. */
const EVERY_MS = 60_000;
const AWAY_MS = 3_000;
/** A start waits no longer than this for a store that does not answer. */
const START_MS = 2_000;

export interface LiveRedactor {
  current(): Redactor;
  /** The values that it knows. */
  known(): LiveValue[];
  /** The values that it knows after it has asked for them. */
  live(): Promise<LiveValue[]>;
  /** The same secrets; one that is written is taken out of all texts before it is kept. */
  watched<T extends SecretManager>(secrets: T): T;
  stop(): void;
}

/** Begins to know the secrets; `changed` hears whether the store answers, when that changes. */
export async function liveRedactor(
  secrets: SecretManager,
  changed: (answers: boolean, error?: unknown) => void = () => {},
): Promise<LiveRedactor> {
  const read = liveValues(secrets);
  const stopped = new AbortController();
  const known = new Map<string, string>();
  let current = redactor([]);
  let answers = true;

  const values = () => [...known].map(([value, name]) => ({ name, value }));
  const learn = (live: LiveValue[]) => {
    const before = known.size;
    for (const { name, value } of live) known.set(value, name);
    if (known.size > before) current = redactor(values());
  };
  const refresh = async () => learn(await read());
  const tryRefresh = async () => {
    const error = await refresh().then(
      () => undefined,
      (failure: unknown) => ({ failure }),
    );
    if (answers !== (error === undefined)) changed((answers = error === undefined), error?.failure);
  };
  const keep = async () => {
    while (!stopped.signal.aborted) {
      await delay(answers ? EVERY_MS : AWAY_MS, undefined, { ref: false, signal: stopped.signal }).catch(
        () => {},
      );
      if (!stopped.signal.aborted) await tryRefresh();
    }
  };
  await Promise.race([tryRefresh(), delay(START_MS, undefined, { ref: false })]);
  void keep();

  return {
    current: () => current,
    known: values,
    async live() {
      await refresh();
      return values();
    },
    watched: (watching) => ({
      ...watching,
      async put(name, value, options) {
        learn([{ name, value }]);
        return await watching.put(name, value, options);
      },
    }),
    stop: () => stopped.abort(),
  };
}
