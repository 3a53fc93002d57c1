// What is around every page: who is signed in, the way to other pages, whether the page is live, and its dialogs.
import { Outlet, useLocation } from '@tanstack/react-router';
import { useEffect } from 'react';
import { useOpenPage } from '../inbox/open-page.ts';
import { useUnread } from '../inbox/unread.ts';
import { noteEvent } from '../live/caches.ts';
import { startLive, useEvents } from '../live/live.ts';
import { Gate } from '../session/gate.tsx';
import { Toasts } from '../ui/toasts.tsx';
import { Bar } from './bar.tsx';
import { Help } from './help.tsx';
import { useKeys } from './keys.ts';
import { pageName, windowTitle } from './page-name.ts';
import { Palette } from './palette.tsx';
import { useWide } from './use-wide.ts';

/** The root of all pages. */
export function Shell() {
  return (
    <>
      <Gate>
        <Frame />
      </Gate>
      <Toasts />
    </>
  );
}

function Frame() {
  const [open, setOpen] = useKeys();
  const close = () => setOpen(undefined);
  const name = pageName(useLocation({ select: ({ pathname }) => pathname }));
  const unread = useUnread();
  const wide = useWide();
  useEffect(startLive, []);
  useEvents(noteEvent);
  useOpenPage();
  useEffect(() => {
    document.title = windowTitle(name, unread);
  }, [name, unread]);
  return (
    <div className={`flex h-dvh ${wide ? '' : 'flex-col'}`}>
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:rounded-md focus:bg-accent focus:px-3 focus:py-2 focus:text-on-accent"
      >
        Skip to the page
      </a>
      <Bar wide={wide} name={name} onPalette={() => setOpen('palette')} onHelp={() => setOpen('help')} />
      <main id="main" tabIndex={-1} className="min-h-0 min-w-0 flex-1 overflow-auto outline-none">
        <Outlet />
      </main>
      {open === 'palette' && <Palette onClose={close} onHelp={() => setOpen('help')} />}
      {open === 'help' && <Help onClose={close} />}
    </div>
  );
}
