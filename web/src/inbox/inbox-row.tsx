// One notification: what happened, where, and the way to it. Opening it marks it as read.
import { Link } from '@tanstack/react-router';
import type { Notification } from '../../../protocol/notification.ts';
import { act } from '../api/act.ts';
import { queries } from '../api/queries.ts';
import { visible } from '../log/visible.ts';
import { Ago } from '../ui/ago.tsx';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { markRead, told as readTold } from './read.ts';
import { wordsOf } from './words.ts';

/** A line of the inbox. */
export function InboxRow({ told }: { told: Notification }) {
  const { id, kind, title, body, path, at, readAt, count } = told;
  const unread = readAt === null;
  const { text, tone } = wordsOf(kind);
  const shown = visible(title);
  const open = () => {
    if (unread)
      void markRead({ only: [id] }).then(
        () => queries.invalidateQueries({ queryKey: ['notification'] }),
        () => {}, // it stays unread
      );
  };
  return (
    <li className="flex flex-wrap items-start justify-end gap-x-3 gap-y-1 px-3 py-2">
      <div className="flex min-w-0 flex-1 basis-72 items-start gap-2.5">
        <span className={`mt-1.5 size-2 shrink-0 rounded-full ${unread ? 'bg-accent' : ''}`}>
          {unread && <span className="sr-only">unread</span>}
        </span>
        <div className="min-w-0 space-y-0.5">
          <p className={`break-words ${unread ? 'font-semibold' : ''}`}>
            {path === null ? (
              <bdi>{shown}</bdi>
            ) : (
              <Link to={path as '/'} onClick={open} onAuxClick={open} className="hover:underline">
                <bdi>{shown}</bdi>
              </Link>
            )}
          </p>
          <p className="text-sm break-words text-muted">
            <Badge tone={tone}>{text}</Badge>{' '}
            {body !== '' && (
              <>
                <bdi>{visible(body.replaceAll('\n', ' · '))}</bdi> ·{' '}
              </>
            )}
            {count > 1 && `${count} times, last `}
            <Ago at={at} /> ago
          </p>
        </div>
      </div>
      {unread && (
        <div className="flex shrink-0 gap-1">
          <Button
            look="quiet"
            aria-label={`Mark read: ${shown}`}
            onClick={() => void act('notification', async () => await markRead({ only: [id] }), readTold)}
          >
            Mark read
          </Button>
          <Button
            look="quiet"
            aria-label={`Mark read, and older: ${shown}`}
            onClick={() => void act('notification', async () => await markRead({ upTo: id }), readTold)}
          >
            And older
          </Button>
        </div>
      )}
    </li>
  );
}
