// The policy that holds, as a file: what the proxy decides by. Written when the policy changes, and looked after every few seconds;
// the same policy is the same bytes. Used by ../open.ts.
import { readFile } from 'node:fs/promises';
import { writeFileAtomic } from '../../config/atomic-file.ts';
import type { Database } from '../../db/connect.ts';
import { onNotify } from '../../db/notifications.ts';
import type { Presets } from './parse.ts';
import { printRule } from './rule.ts';
import { CHANGED, effectivePolicy, type EffectivePolicy } from './store.ts';

const LOOK_EVERY_MS = 5_000;

/** The file's content; proxy-addon/policy.py reads it. */
export function policyDocument({ version, rules, recording }: EffectivePolicy): string {
  return `${JSON.stringify({ version, rules: rules.map(printRule), recording }, null, 1)}\n`;
}

export interface PolicyFileOptions {
  db: Database;
  file: string;
  presets: Presets;
  signal: AbortSignal;
  failed(error: unknown): void;
}

/** Keeps the file as the policy is, from now on until the signal; resolves when it is there for the first time. */
export async function keepPolicyFile({
  db,
  file,
  presets,
  signal,
  failed,
}: PolicyFileOptions): Promise<{ stopped: Promise<void> }> {
  const write = async () => {
    const now = policyDocument(await effectivePolicy(db, presets));
    if (now !== (await readFile(file, 'utf8').catch(() => ''))) await writeFileAtomic(file, now);
  };
  // One after the other, so that what is written last is the latest.
  let writing = Promise.resolve();
  const refresh = () => void (writing = writing.then(write).catch(failed));
  const unsubscribe = await onNotify(db, CHANGED, refresh);
  try {
    await write();
  } catch (error) {
    unsubscribe();
    throw error;
  }
  const timer = setInterval(refresh, LOOK_EVERY_MS);
  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  const stop = () => {
    clearInterval(timer);
    unsubscribe();
    void writing.then(resolve);
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  return { stopped };
}
