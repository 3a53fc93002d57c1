// Incidents, the newest first: alarms that belong together, who looks into them, which need a person. Some can be marked and merged.
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import type { Incident } from '../../../protocol/incident.ts';
import { get } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { useUser } from '../session/session.ts';
import { clock } from '../task/format.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Choices } from '../ui/choices.tsx';
import { Empty } from '../ui/empty.tsx';
import { Page } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { Cell, Head, Table } from '../ui/table.tsx';
import { MergeDialog } from './merge-dialog.tsx';
import { mayDecide, STATES } from './words.ts';

const MOST = 50;
const LOOK_MS = 15_000;
const VIEWS = ['all', 'open', 'settling', 'resolved', 'merged'] as const;

/** The page at `/incidents`. */
export function IncidentsPage() {
  const search = useSearch({ strict: false }) as { state?: string };
  const chosen = VIEWS.find((each) => each === search.state) ?? 'all';
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['incident', 'all', chosen],
    initialPageParam: undefined as number | undefined,
    queryFn: async ({ pageParam: before, signal }) => {
      const state = chosen === 'all' ? undefined : chosen;
      return await get<Incident[]>('/incidents', { state, before, limit: MOST }, signal);
    },
    getNextPageParam: (last) => (last.length < MOST ? undefined : last.at(-1)?.id),
    refetchInterval: LOOK_MS,
  });
  const user = useUser();
  const [marks, setMarks] = useState<ReadonlySet<number>>(new Set());
  const [merging, setMerging] = useState(false);
  const incidents = data?.pages.flat() ?? [];
  const markable = incidents.filter((each) => mayDecide(user, each));
  const marked = markable.filter(({ id }) => marks.has(id));
  const mark = (id: number, on: boolean) =>
    setMarks(new Set(on ? [...marks, id] : [...marks].filter((each) => each !== id)));
  const choices = VIEWS.map((name) => ({ name, search: name === 'all' ? {} : { state: name } }));
  return (
    <Page
      title="Incidents"
      actions={
        <>
          <Choices label="States" to="/incidents" chosen={chosen} choices={choices} />
          {markable.length > 1 && (
            <Button disabled={marked.length < 2} onClick={() => setMerging(true)}>
              Merge marked …
            </Button>
          )}
        </>
      }
    >
      {error && <Problem error={error} />}
      {data !== undefined && incidents.length === 0 && (
        <Empty title={chosen === 'all' ? 'No incidents yet' : `No incident is ${chosen}`}>
          <p>
            Alarms that come from a source and belong together are one incident with one investigation. An
            admin adds a source of the kind <code>alertmanager</code> or <code>sqs</code> at Intake.
          </p>
        </Empty>
      )}
      {incidents.length > 0 && (
        <Table
          label="Incidents"
          heads={['Incident', 'State', 'Accounts', 'Alarms', 'Tasks', 'Since', 'Last']}
        >
          {incidents.map((incident) => (
            <Row
              key={incident.id}
              incident={incident}
              marked={marks.has(incident.id)}
              {...(markable.length > 1 && markable.includes(incident) && { onMark: mark })}
            />
          ))}
        </Table>
      )}
      {hasNextPage && (
        <Button disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          Older
        </Button>
      )}
      {merging && marked.length > 1 && (
        <MergeDialog
          marked={marked}
          onClose={() => {
            setMerging(false);
            setMarks(new Set());
          }}
        />
      )}
    </Page>
  );
}

interface RowProps {
  incident: Incident;
  marked: boolean;
  /** Left out where it cannot be merged. */
  onMark?: (id: number, on: boolean) => void;
}

function Row({ incident, marked, onMark }: RowProps) {
  const { id, state, title, accounts, mergedInto, needsPerson, firstAt, lastAt } = incident;
  return (
    <tr>
      <Head className="max-w-xl min-w-56">
        <span className="flex gap-2">
          {onMark !== undefined && (
            <input
              type="checkbox"
              aria-label={`Mark ${visible(title)}`}
              className="mt-1 size-3.5 shrink-0 accent-accent"
              checked={marked}
              onChange={({ target }) => onMark(id, target.checked)}
            />
          )}
          <Link to={`/incidents/${id}` as '/'} className="text-accent hover:underline">
            <bdi className="break-words">{visible(title)}</bdi>
          </Link>
        </span>
      </Head>
      <Cell className="max-w-sm">
        <Badge tone={STATES[state].tone}>{STATES[state].text}</Badge>{' '}
        {mergedInto !== null && <span className="text-muted">into incident {mergedInto}</span>}
        {needsPerson !== null && (
          <>
            <Badge tone="warn">needs a person</Badge>
            <span className="block text-sm break-words text-muted">{visible(needsPerson)}</span>
          </>
        )}
      </Cell>
      <Cell>
        <bdi className="break-words">{visible(accounts.join(', '))}</bdi>
      </Cell>
      <Cell className="whitespace-nowrap">
        {mergedInto === null && `${incident.firing} of ${incident.alarms} firing`}
      </Cell>
      <Cell>{mergedInto === null && <Tasks incident={incident} />}</Cell>
      <Cell className="whitespace-nowrap text-muted">
        <time dateTime={firstAt}>{clock(firstAt)}</time>
      </Cell>
      <Cell className="whitespace-nowrap text-muted">
        <time dateTime={lastAt}>{clock(lastAt)}</time>
      </Cell>
    </tr>
  );
}

function Tasks({ incident: { tasks, others } }: { incident: Incident }) {
  return (
    <span className="flex flex-wrap gap-2">
      {tasks.map(({ task }) => (
        <Link key={task} to={`/tasks/${task}` as '/'} className="text-accent hover:underline">
          #{task}
        </Link>
      ))}
      {others > 0 && <span className="text-muted">and {others} of others</span>}
    </span>
  );
}
