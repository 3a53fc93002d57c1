// Whether the page is live, its theme, the keys, and who is signed in: at the end of the bar, and of the menu.
import { useState } from 'react';
import { useLiveState } from '../live/live.ts';
import { signOut, useSession } from '../session/session.ts';
import { Button } from '../ui/button.tsx';
import { chooseTheme, chosenTheme, type Theme } from './theme.ts';

const LIVE = {
  live: { text: 'Live', dot: 'bg-good' },
  connecting: { text: 'Connecting', dot: 'bg-warn' },
  away: { text: 'Reconnecting', dot: 'bg-bad' },
};
const NEXT_THEME: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };

/** Whether the page hears of what happens. */
export function Live({ dotOnly = false }: { dotOnly?: boolean }) {
  const { text, dot } = LIVE[useLiveState()];
  return (
    <p role="status" className="flex items-center gap-2 px-2 text-sm text-muted">
      <span className={`size-2 rounded-full ${dot}`} />
      <span className={dotOnly ? 'sr-only' : ''}>{text}</span>
    </p>
  );
}

/** The buttons. */
export function OwnCorner({ onHelp }: { onHelp: () => void }) {
  const { data: session } = useSession();
  const [theme, setTheme] = useState(chosenTheme);
  const turn = () => {
    chooseTheme(NEXT_THEME[theme]);
    setTheme(NEXT_THEME[theme]);
  };
  return (
    <div className="flex flex-col">
      <Button look="quiet" className="px-[7px]!" onClick={turn}>
        Theme: {theme}
      </Button>
      <Button look="quiet" className="px-[7px]!" onClick={onHelp} aria-keyshortcuts="?">
        Keys
      </Button>
      {session && (
        <Button
          look="quiet"
          className="px-[7px]!"
          onClick={signOut}
          title={`Signed in as ${session.user.name}`}
        >
          <span className="truncate">Sign out {session.user.name}</span>
        </Button>
      )}
    </div>
  );
}
