// The moments of a task's life, each with the way to what it is about.
import { Link } from '@tanstack/react-router';
import { visible } from '../log/visible.ts';
import { clock } from './format.ts';
import type { Moment } from './timeline.ts';

const DOTS = {
  neutral: 'bg-edge',
  info: 'bg-info',
  good: 'bg-good',
  warn: 'bg-warn',
  bad: 'bg-bad',
  review: 'bg-review',
};

/** The timeline, the first moment on top. */
export function Timeline({ task, moments }: { task: number; moments: readonly Moment[] }) {
  return (
    <ol className="space-y-2">
      {moments.map(({ key, at, what, words, tone, run, change, url }) => (
        <li key={key} className="flex gap-2">
          <span aria-hidden className={`mt-1.5 size-2 shrink-0 rounded-full ${DOTS[tone]}`} />
          <div className="min-w-0 flex-1">
            <p className="flex flex-wrap gap-x-2">
              <bdi className="min-w-0 break-words">
                {change !== undefined ? (
                  <Link to={`/changes/${change}` as '/'} className="text-accent hover:underline">
                    {visible(what)}
                  </Link>
                ) : run !== undefined ? (
                  <Link
                    to={`/tasks/${task}` as '/'}
                    search={{ run } as never}
                    className="text-accent hover:underline"
                  >
                    {visible(what)}
                  </Link>
                ) : (
                  visible(what)
                )}
              </bdi>
              {url !== undefined && /^https?:\/\//.test(url) && (
                <a
                  href={url}
                  target="_blank"
                  rel="noreferrer noopener"
                  className="text-accent hover:underline"
                >
                  at the forge
                </a>
              )}
              <time dateTime={at} className="text-sm text-muted">
                {clock(at)}
              </time>
            </p>
            {words !== null && (
              <p className="line-clamp-3 text-sm break-words text-muted">{visible(words)}</p>
            )}
          </div>
        </li>
      ))}
    </ol>
  );
}
