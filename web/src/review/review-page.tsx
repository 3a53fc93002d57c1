// The review queue: changes that wait for a person, and those that did.
import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import type { Change } from '../../../protocol/change.ts';
import { get } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { clock } from '../task/format.ts';
import { Badge } from '../ui/badge.tsx';
import { Empty } from '../ui/empty.tsx';
import { Problem } from '../ui/problem.tsx';
import { reviewOf, stateOf } from './words.ts';

/** What can be looked at, by what the address says. */
const VIEWS = {
  open: { title: 'open', filter: { state: 'open' }, none: 'Nothing waits for review' },
  approved: {
    title: 'approved',
    filter: { state: 'open', review: 'approved' },
    none: 'No open change is approved',
  },
  'changes-requested': {
    title: 'changes requested',
    filter: { state: 'open', review: 'changes-requested' },
    none: 'Nobody asks for changes',
  },
  conflicts: {
    title: 'conflicts',
    filter: { state: 'open', mergeable: 'conflicts' },
    none: 'No open change conflicts with its base branch',
  },
  merged: { title: 'merged', filter: { state: 'merged' }, none: 'No changes are merged' },
  closed: { title: 'closed', filter: { state: 'closed' }, none: 'No changes are closed' },
} as const;
type View = keyof typeof VIEWS;
const MOST = 500;

/** The page at `/review`. */
export function ReviewPage() {
  const { state: asked, project } = useSearch({ strict: false }) as { state?: string; project?: string };
  const state: View = asked !== undefined && Object.hasOwn(VIEWS, asked) ? (asked as View) : 'open';
  const { filter, none } = VIEWS[state];
  const { data, error } = useQuery({
    queryKey: ['changes', state, project],
    queryFn: async ({ signal }) =>
      await get<Change[]>('/changes', { ...filter, project, limit: MOST }, signal),
  });
  return (
    <>
      <header className="flex flex-wrap items-center gap-4 border-b border-line bg-surface px-4 py-3">
        <h1 className="text-xl font-semibold">Review</h1>
        <nav aria-label="States" className="flex flex-wrap gap-1">
          {(Object.keys(VIEWS) as View[]).map((each) => (
            <Link
              key={each}
              to="/review"
              search={{ state: each, ...(project === undefined ? {} : { project }) } as never}
              className="rounded-md px-2 py-0.5 text-muted hover:bg-sunken aria-[current=page]:bg-accent/12 aria-[current=page]:text-accent"
              {...(each === state ? { 'aria-current': 'page' as const } : { 'aria-current': false as const })}
            >
              {VIEWS[each].title}
            </Link>
          ))}
        </nav>
        {project !== undefined && (
          <Link to="/review" search={{ state } as never} className="text-accent hover:underline">
            only {project}: show all projects
          </Link>
        )}
      </header>
      {error !== null && (
        <div className="p-4">
          <Problem error={error} />
        </div>
      )}
      {data?.length === 0 && (
        <Empty title={none}>
          <p>
            A task that ends with a verified result opens a change, and it is here until it is merged or
            closed. What people say of it at its forge is shown with it.
          </p>
        </Empty>
      )}
      {data !== undefined && data.length > 0 && <Table changes={data} />}
    </>
  );
}

function Table({ changes }: { changes: readonly Change[] }) {
  return (
    <div className="overflow-x-auto">
      <table className="w-full">
        <thead className="text-left text-sm text-muted">
          <tr>
            {['Change', 'State', 'Reviews', 'Checks', 'Repository', 'Task', 'Opened'].map((head) => (
              <th key={head} scope="col" className="px-4 py-1.5 font-normal">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line border-y border-line bg-surface">
          {changes.map((change) => (
            <tr key={change.id} className="hover:bg-sunken/50">
              <td className="max-w-xl px-4 py-1.5">
                <Link to={`/changes/${change.id}` as '/'} className="font-medium text-accent hover:underline">
                  <bdi className="break-words">{visible(change.title)}</bdi>
                </Link>
              </td>
              <td className="px-4">
                <Badge tone={stateOf(change).tone}>{stateOf(change).text}</Badge>
              </td>
              <td className="min-w-56 px-4 text-muted">
                <bdi>
                  {change.reviews
                    .filter(({ stale }) => !stale)
                    .map(reviewOf)
                    .join(', ')}
                </bdi>
              </td>
              <td className="px-4 whitespace-nowrap">
                <ChecksOf checks={change.checks} />
              </td>
              <td className="px-4">
                <bdi>{change.repository}</bdi>
              </td>
              <td className="px-4">
                <Link to={`/tasks/${change.task}` as '/'} className="text-accent hover:underline">
                  #{change.task}
                </Link>
              </td>
              <td className="px-4 whitespace-nowrap text-muted">
                <time dateTime={change.createdAt}>{clock(change.createdAt)}</time>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ChecksOf({ checks }: Pick<Change, 'checks'>) {
  if (checks === null || checks.passed + checks.failed === 0) return <span className="text-muted">none</span>;
  if (checks.failed > 0) return <Badge tone="bad">{checks.failed} failed</Badge>;
  return <Badge tone="good">{checks.passed} passed</Badge>;
}
