// Whether the bar has room at the left of the page. Used by the shell.
import { useSyncExternalStore } from 'react';

const room = window.matchMedia('(min-width: 56.25rem)');

/** True where it has. */
export function useWide(): boolean {
  return useSyncExternalStore(
    (watch) => {
      room.addEventListener('change', watch);
      return () => room.removeEventListener('change', watch);
    },
    () => room.matches,
  );
}
