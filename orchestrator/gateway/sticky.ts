// Keeps a run on the model that answered it last, so that the engine still has its conversation in its cache; after a
// while without calls the preferred model is tried again. Used by call.ts for names with several rungs.
import type { Rung } from './ladder.ts';

export interface Sticky {
  /** The rungs with the one that served last in front, and why it is that one. */
  order(who: string, rungs: Rung[]): { rungs: Rung[]; kept: string | null };
  served(who: string, rung: Rung, fallback: string | null): void;
}

const KEPT_MS = 300_000;
const KEPT_AT_MOST = 10_000;

/** Makes the memory; `who` names a run (or key) and what it asked for. */
export function stickyRungs(now: () => number = () => performance.now()): Sticky {
  const last = new Map<string, { name: string; fallback: string; until: number }>();
  return {
    order(who, rungs) {
      const known = last.get(who);
      const rung = rungs.find(({ model }) => model.name === known?.name);
      if (known === undefined || rung === undefined || known.until < now()) return { rungs, kept: null };
      return {
        rungs: [rung, ...rungs.filter((other) => other !== rung)],
        kept: `still, since ${known.fallback}`,
      };
    },
    served(who, rung, fallback) {
      if (last.size >= KEPT_AT_MOST) last.clear();
      if (fallback === null) return void last.delete(who);
      const since = fallback.replace(/^still, since /, '');
      last.set(who, { name: rung.model.name, fallback: since, until: now() + KEPT_MS });
    },
  };
}
