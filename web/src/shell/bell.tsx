// The way to the inbox, with how much of it is unread. At the top of every page.
import { Link } from '@tanstack/react-router';
import { countText, useUnread } from '../inbox/unread.ts';

/** The bell. */
export function Bell() {
  const unread = useUnread();
  return (
    <Link
      to="/inbox"
      activeOptions={{ includeSearch: false }}
      aria-label={unread === 0 ? 'Inbox' : `Inbox, ${unread} unread`}
      className="relative grid size-8 shrink-0 place-items-center rounded-md text-muted hover:bg-sunken hover:text-ink aria-[current=page]:bg-accent/12 aria-[current=page]:text-accent"
    >
      <svg
        viewBox="0 0 16 16"
        aria-hidden
        className="size-4.5 fill-none stroke-current stroke-[1.3] [stroke-linecap:round] [stroke-linejoin:round]"
      >
        <path d="M3.4 11.4h9.2c-.8-.9-1.2-1.8-1.2-3.6v-.9a3.4 3.4 0 0 0-6.8 0v.9c0 1.8-.4 2.7-1.2 3.6Z" />
        <path d="M6.8 13.4a1.3 1.3 0 0 0 2.4 0" />
      </svg>
      {unread > 0 && (
        <span
          aria-hidden
          className="absolute -top-0.5 left-4 rounded-full bg-accent px-1 text-xs leading-4 font-medium text-on-accent"
        >
          {countText(unread)}
        </span>
      )}
    </Link>
  );
}
