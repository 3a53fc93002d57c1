// The bar: at the left with all pages; on top where it is narrow, with the name of the page and a menu of them.
import { Link } from '@tanstack/react-router';
import { useCallback, useState } from 'react';
import { Button } from '../ui/button.tsx';
import { Bell } from './bell.tsx';
import { Menu } from './menu.tsx';
import { Live, OwnCorner } from './own-corner.tsx';
import { Places } from './places.tsx';

interface BarProps {
  /** What the page is called. */
  name: string;
  onPalette: () => void;
  onHelp: () => void;
}

/** The shell's bar. */
export function Bar({ wide, ...props }: BarProps & { wide: boolean }) {
  return wide ? <Wide {...props} /> : <Narrow {...props} />;
}

function Wide({ onPalette, onHelp }: BarProps) {
  return (
    <header className="flex w-44 shrink-0 flex-col gap-3 border-r border-line bg-surface px-2.5 py-3">
      <div className="flex items-center justify-between">
        <Brand />
        <Bell />
      </div>
      <Button onClick={onPalette} className="justify-between text-muted" aria-keyshortcuts="Control+K">
        Find <kbd className="text-xs">Ctrl K</kbd>
      </Button>
      <div className="min-h-0 flex-1 overflow-y-auto">
        <Places />
      </div>
      <Live />
      <OwnCorner onHelp={onHelp} />
    </header>
  );
}

function Narrow({ name, onPalette, onHelp }: BarProps) {
  const [open, setOpen] = useState(false);
  const close = useCallback(() => setOpen(false), []);
  return (
    <header className="flex shrink-0 items-center gap-1 border-b border-line bg-surface px-1.5 py-1">
      <Button
        look="quiet"
        className="size-9 justify-center p-0!"
        aria-label="Menu"
        aria-haspopup="dialog"
        aria-expanded={open}
        onClick={() => setOpen(true)}
      >
        <svg viewBox="0 0 16 16" aria-hidden className="size-4.5 stroke-current stroke-[1.4]">
          <path d="M2 4h12M2 8h12M2 12h12" />
        </svg>
      </Button>
      <Brand bare />
      <p className="min-w-0 flex-1 truncate px-1 text-lg font-medium">{name}</p>
      <Live dotOnly />
      <Button onClick={onPalette} className="text-muted" aria-keyshortcuts="Control+K">
        Find
      </Button>
      <Bell />
      {open && <Menu onClose={close} onHelp={onHelp} />}
    </header>
  );
}

function Brand({ bare = false }: { bare?: boolean }) {
  return (
    <Link to="/" className="flex items-center gap-2 px-1 text-lg font-semibold">
      <img src="/icon.svg" alt="" className="size-5" />
      <span className={bare ? 'sr-only' : ''}>Autocode</span>
    </Link>
  );
}
