// The values of all secrets that are kept, and where they stand in a text. The shapes of tokens are looked for elsewhere
// (repos/checks/find-secrets.ts). Used by prompts/.
import { notRedactable } from './redactable.ts';
import type { SecretManager } from './secret-manager.ts';

export interface LiveValue {
  name: string;
  value: string;
}

/** Gives all that can be told from ordinary text, as it is now; each version is opened once. */
export function liveValues(secrets: SecretManager): () => Promise<LiveValue[]> {
  let opened = new Map<string, { version: number; value: string }>();
  return async () => {
    const now: typeof opened = new Map();
    for (const { name, version } of await secrets.list()) {
      const known = opened.get(name);
      const secret = known?.version === version ? known : await secrets.get(name);
      if (secret !== undefined) now.set(name, secret);
    }
    opened = now;
    return [...now]
      .map(([name, { value }]) => ({ name, value }))
      .filter(({ value }) => notRedactable(value) === null);
  };
}

/** Characters that are looked at in one step. */
const BLOCK = 3;

/**
 * A function that gives the secrets that stand in a text: the name of each, by its value. It goes over the text in steps of
 * nearly the shortest value (Wu and Manber’s way), however many values there are; none may be shorter than a block.
 */
export function valueFinder(live: readonly LiveValue[]): (text: string) => Map<string, string> {
  const window = Math.min(...live.map(({ value }) => value.length));
  const widest = window - BLOCK + 1;
  // How far the window may move on when it ends with such a block; 0: one of these values may stand in it.
  const steps = new Uint8Array(1 << 16).fill(Math.min(widest, 255));
  const ending = new Map<number, LiveValue[]>();
  for (const each of live) {
    for (let end = BLOCK - 1; end < window; end++) {
      const block = blockAt(each.value, end);
      steps[block] = Math.min(steps[block]!, window - 1 - end);
    }
    const block = blockAt(each.value, window - 1);
    ending.set(block, [...(ending.get(block) ?? []), each]);
  }
  return (text) => {
    const found = new Map<string, string>();
    if (live.length === 0) return found;
    for (let end = window - 1; end < text.length;) {
      const block = blockAt(text, end);
      const step = steps[block]!;
      if (step === 0)
        for (const { name, value } of ending.get(block) ?? [])
          if (text.startsWith(value, end - window + 1)) found.set(value, name);
      end += step === 0 ? 1 : step;
    }
    return found;
  };
}

function blockAt(text: string, end: number): number {
  return ((text.charCodeAt(end - 2) << 10) ^ (text.charCodeAt(end - 1) << 5) ^ text.charCodeAt(end)) & 0xffff;
}
