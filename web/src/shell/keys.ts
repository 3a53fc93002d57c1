// Keys that work everywhere: `?` help, Ctrl/Cmd-K the palette, `g` and a letter a page, `c` a new task. Never while somebody types,
// and only to what they have use of.
import { useRouter } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { useMay } from '../session/session.ts';
import { usePlaces } from './use-places.ts';

const AFTER_G_MS = 1500;

/** Which of the shell's dialogs is open, by keys and by whoever sets it. */
export type Open = 'palette' | 'help' | undefined;

function typing(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'))
  );
}

/** Listens to the keys of the shell. */
export function useKeys(): [open: Open, setOpen: (open: Open) => void] {
  const [open, setOpen] = useState<Open>();
  const router = useRouter();
  const places = usePlaces();
  const operator = useMay('operator');
  const afterG = useRef(0);
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        setOpen('palette');
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
      if (document.querySelector('dialog[open]') !== null) return;
      const place = places.find(({ key }) => key === event.key);
      const go = event.timeStamp - afterG.current < AFTER_G_MS ? place?.to : undefined;
      const search = event.key === 'c' && operator ? { new: true } : undefined;
      if (go !== undefined || search !== undefined || event.key === '?') event.preventDefault(); // it is not typed into what opens
      if (go !== undefined) void router.navigate({ to: go });
      else if (search !== undefined) void router.navigate({ to: '/', search: search as never });
      else if (event.key === '?') setOpen('help');
      afterG.current = event.key === 'g' ? event.timeStamp : 0;
    };
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  }, [router, places, operator]);
  return [open, setOpen];
}
