// Short words about what was just done, read out by screen readers. `toast()` from anywhere; the shell shows them.
import { useSyncExternalStore } from 'react';
import { ApiError } from '../api/client.ts';

interface Toast {
  id: number;
  text: string;
  bad: boolean;
}

const SHOWN_MS = 6000;
let toasts: readonly Toast[] = [];
let next = 1;
const watchers = new Set<() => void>();

function change(to: readonly Toast[]): void {
  toasts = to;
  for (const watcher of watchers) watcher();
}

/** Tells that something was done. */
export function toast(text: string, bad = false): void {
  const id = next++;
  change([...toasts.slice(-3), { id, text, bad }]);
  setTimeout(() => change(toasts.filter((each) => each.id !== id)), SHOWN_MS);
}

/** Tells that something could not be done, and what to do. */
export function toastProblem(error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  toast(error instanceof ApiError && error.remedy !== undefined ? `${text} ${error.remedy}` : text, true);
}

/** The place where they are shown. */
export function Toasts() {
  const shown = useSyncExternalStore(
    (watch) => {
      watchers.add(watch);
      return () => watchers.delete(watch);
    },
    () => toasts,
  );
  return (
    <div role="status" aria-live="polite" className="fixed right-3 bottom-3 z-40 w-80 max-w-[90vw] space-y-2">
      {shown.map(({ id, text, bad }) => (
        <p
          key={id}
          className={`rounded-md border bg-raised px-3 py-2 shadow-raised ${bad ? 'border-bad text-bad' : 'border-line'}`}
        >
          {text}
        </p>
      ))}
    </div>
  );
}
