// The bar with the pages, the live connection, the theme and who is signed in: at the left, or on top where it is narrow.
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useLiveState } from '../live/live.ts';
import { signOut, useMay, useMayInAll, useSession } from '../session/session.ts';
import { Button } from '../ui/button.tsx';
import { PLACES, type Place } from './nav.ts';
import { chooseTheme, chosenTheme, type Theme } from './theme.ts';

const LIVE = {
  live: { text: 'Live', dot: 'bg-good' },
  connecting: { text: 'Connecting', dot: 'bg-warn' },
  away: { text: 'Reconnecting', dot: 'bg-bad' },
};
const NEXT_THEME: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };

/** The shell's bar. */
export function Bar({ onPalette, onHelp }: { onPalette: () => void; onHelp: () => void }) {
  const live = LIVE[useLiveState()];
  const { data: session } = useSession();
  const [theme, setTheme] = useState(chosenTheme);
  return (
    <header className="flex shrink-0 items-center gap-2 border-b border-line bg-surface px-3 py-1.5 md:w-44 md:flex-col md:items-stretch md:gap-3 md:border-r md:border-b-0 md:px-2.5 md:py-3">
      <Link to="/" className="flex items-center gap-2 px-1 font-semibold md:text-lg">
        <img src="/icon.svg" alt="" className="size-5" />
        <span className="max-md:sr-only">Autocode</span>
      </Link>
      <Button onClick={onPalette} className="justify-between text-muted" aria-keyshortcuts="Control+K">
        Find <kbd className="text-xs max-md:hidden">Ctrl K</kbd>
      </Button>
      <nav aria-label="Pages" className="min-w-0 flex-1 overflow-x-auto">
        <ul className="flex gap-0.5 md:flex-col">
          {PLACES.map((place) => (
            <Entry key={place.to} place={place} />
          ))}
        </ul>
      </nav>
      <div className="flex items-center gap-1 md:flex-col md:items-stretch">
        <p role="status" className="flex items-center gap-2 px-2 text-sm text-muted">
          <span className={`size-2 rounded-full ${live.dot}`} />
          <span className="max-md:sr-only">{live.text}</span>
        </p>
        <Button
          look="quiet"
          className="max-md:hidden"
          onClick={() => {
            chooseTheme(NEXT_THEME[theme]);
            setTheme(NEXT_THEME[theme]);
          }}
        >
          Theme: {theme}
        </Button>
        <Button look="quiet" className="max-md:hidden" onClick={onHelp} aria-keyshortcuts="?">
          Keys
        </Button>
        {session && (
          <Button look="quiet" onClick={signOut} title={`Signed in as ${session.user.name}`}>
            <span className="truncate">
              Sign out<span className="max-md:sr-only"> {session.user.name}</span>
            </span>
          </Button>
        )}
      </div>
    </header>
  );
}

function Entry({ place: { to, label, role = 'viewer', inAll } }: { place: Place }) {
  const inSome = useMay(role);
  const everywhere = useMayInAll(role);
  if (!(inAll === true ? everywhere : inSome)) return null;
  return (
    <li>
      <Link
        to={to}
        activeOptions={{ exact: to === '/', includeSearch: false }}
        className="block rounded-md px-2 py-1 text-muted hover:bg-sunken hover:text-ink aria-[current=page]:bg-accent/12 aria-[current=page]:font-medium aria-[current=page]:text-accent"
      >
        {label}
      </Link>
    </li>
  );
}
