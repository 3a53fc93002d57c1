// The inbox: what somebody was told, the newest first, narrowed by what stands in the address.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import type { Inbox } from '../../../protocol/notification.ts';
import type { Project } from '../../../protocol/project.ts';
import { act } from '../api/act.ts';
import { get } from '../api/client.ts';
import { Button } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { Select } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { searchOf, type InboxFilter } from './filter.ts';
import { InboxRow } from './inbox-row.tsx';
import { markRead, told as readTold } from './read.ts';
import { useUnread } from './unread.ts';
import { KINDS, wordsOf } from './words.ts';

const MOST = 50;

/** The list with its filter. */
export function InboxList({ filter }: { filter: InboxFilter }) {
  const { unread, kind, project } = filter;
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['notification', 'inbox', filter],
    initialPageParam: undefined as number | undefined,
    queryFn: async ({ pageParam: before, signal }) => {
      const narrowed = { unread: unread || undefined, kind, project, before, limit: MOST };
      return (await get<Inbox>('/notifications', narrowed, signal)).notifications;
    },
    getNextPageParam: (last) => (last.length < MOST ? undefined : last.at(-1)?.id),
  });
  const told = data?.pages.flat() ?? [];
  return (
    <section aria-label="Notifications" className="space-y-3">
      <FilterLine filter={filter} newest={told[0]?.id} />
      {error && <Problem error={error} />}
      {data !== undefined && told.length === 0 && <Nothing filter={filter} />}
      {told.length > 0 && (
        <ul className="divide-y divide-line rounded-lg border border-line bg-surface">
          {told.map((each) => (
            <InboxRow key={each.id} told={each} />
          ))}
        </ul>
      )}
      {hasNextPage && (
        <Button disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          Older
        </Button>
      )}
    </section>
  );
}

function FilterLine({ filter, newest }: { filter: InboxFilter; newest: number | undefined }) {
  const navigate = useNavigate();
  const unread = useUnread();
  const { data: projects = [] } = useQuery({
    queryKey: ['projects'],
    queryFn: async ({ signal }) => await get<Project[]>('/projects', {}, signal),
  });
  const narrow = (to: Partial<Record<keyof InboxFilter, unknown>>) =>
    void navigate({ to: '/inbox', search: searchOf({ ...filter, ...to } as InboxFilter) as never });
  const names = new Set([
    ...projects.map(({ name }) => name),
    ...(filter.project === undefined ? [] : [filter.project]),
  ]);
  const isAll = filter.kind === undefined && filter.project === undefined;
  return (
    <div role="search" aria-label="Inbox" className="flex flex-wrap items-center gap-2">
      <Select
        aria-label="Kind"
        className="w-auto!"
        value={filter.kind ?? ''}
        onChange={({ target }) => narrow({ kind: target.value || undefined })}
      >
        <option value="">All kinds</option>
        {KINDS.map((each) => (
          <option key={each} value={each}>
            {wordsOf(each).text}
          </option>
        ))}
      </Select>
      <Select
        aria-label="Project"
        className="w-auto! max-w-48"
        value={filter.project ?? ''}
        onChange={({ target }) => narrow({ project: target.value || undefined })}
      >
        <option value="">All projects</option>
        {[...names].map((name) => (
          <option key={name}>{name}</option>
        ))}
      </Select>
      <label className="flex min-h-7 items-center gap-2 px-1">
        <input
          type="checkbox"
          checked={filter.unread}
          onChange={({ target }) => narrow({ unread: target.checked })}
        />
        unread only
      </label>
      {isAll && unread > 0 && newest !== undefined && (
        <Button
          className="ml-auto"
          onClick={() => void act('notification', async () => await markRead({ upTo: newest }), readTold)}
        >
          Mark all as read
        </Button>
      )}
    </div>
  );
}

function Nothing({ filter: { unread, kind, project } }: { filter: InboxFilter }) {
  if (unread || kind !== undefined || project !== undefined) {
    return (
      <Empty title={unread ? 'Nothing is unread' : 'Nothing of this kind'}>
        <p>
          <Link to="/inbox" className="text-accent underline">
            Show everything
          </Link>
        </p>
      </Empty>
    );
  }
  return (
    <Empty title="You were told nothing yet">
      <p>
        Rules say what you are told of: changes that are ready for review, tasks that failed or wait for an
        approval, incidents, budgets.
      </p>
      <p>
        <Link to="/inbox" search={{ view: 'rules' } as never} className="text-accent underline">
          Make a rule
        </Link>
      </p>
    </Empty>
  );
}
