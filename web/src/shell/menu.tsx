// All pages as a sheet, where the bar has no room for them. By the browser's own <dialog>: it keeps the focus inside, ends by Escape and
// gives the focus back to the button.
import { useLocation } from '@tanstack/react-router';
import { useEffect, useLayoutEffect, useRef } from 'react';
import { Button } from '../ui/button.tsx';
import { OwnCorner } from './own-corner.tsx';
import { Places } from './places.tsx';

/** Open as long as it is rendered; it closes when another page is gone to. */
export function Menu({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const sheet = useRef<HTMLDialogElement>(null);
  const { pathname } = useLocation();
  const openedAt = useRef(pathname);
  // Before it leaves the page: after that nothing would give the focus back.
  useLayoutEffect(() => {
    const element = sheet.current!;
    if (!element.open) element.showModal();
    return () => element.close();
  }, []);
  useEffect(() => {
    if (pathname !== openedAt.current) onClose();
  }, [pathname, onClose]);
  return (
    <dialog
      ref={sheet}
      id="menu"
      aria-label="Menu"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => event.target === sheet.current && onClose()}
      onClick={(event) => {
        // A link to the page that is open already goes nowhere.
        if (event.target instanceof Element && event.target.closest('a') !== null) onClose();
      }}
      className="m-0 h-dvh max-h-none w-72 max-w-[85vw] overflow-y-auto border-r border-line bg-surface p-0 text-ink shadow-raised"
    >
      <div className="flex min-h-full flex-col gap-4 p-3">
        <div className="flex items-center justify-between">
          <p className="px-2 text-lg font-semibold">Autocode</p>
          <Button look="quiet" onClick={onClose}>
            Close
          </Button>
        </div>
        <div className="flex-1">
          <Places roomy />
        </div>
        <OwnCorner
          onHelp={() => {
            onClose();
            onHelp();
          }}
        />
      </div>
    </dialog>
  );
}
