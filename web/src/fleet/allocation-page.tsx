// One allocation of a worker: how it is, what happened to it, what its claimer writes.
import { useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import type { FleetAllocationDetails } from '../../../protocol/fleet.ts';
import { get } from '../api/client.ts';
import { spansOf } from '../log/ansi.ts';
import { visible } from '../log/visible.ts';
import { useMayInAll } from '../session/session.ts';
import { clock } from '../task/format.ts';
import { Button } from '../ui/button.tsx';
import { Choices } from '../ui/choices.tsx';
import { Meter } from '../ui/meter.tsx';
import { Page, Section } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { Cell, Table } from '../ui/table.tsx';
import { useAllocationLog, type LogStream } from './allocation-log.ts';
import { AllocationState } from './allocations.tsx';
import { gib } from './sizes.ts';
import { StopDialog } from './stop-dialog.tsx';

const LOOK_MS = 5_000;
const STREAMS: LogStream[] = ['stdout', 'stderr'];

/** The page at `/fleet/allocations/$allocation`. */
export function AllocationPage() {
  const { allocation: id } = useParams({ strict: false }) as { allocation: string };
  const { stream } = useSearch({ strict: false }) as { stream?: string };
  const { data, error } = useQuery({
    queryKey: ['fleet', 'allocation', id],
    queryFn: async ({ signal }) => await get<FleetAllocationDetails>(`/fleet/allocations/${id}`, {}, signal),
    refetchInterval: LOOK_MS,
    retry: false,
  });
  const mayStop = useMayInAll('admin');
  const mayRead = useMayInAll('operator');
  const [stopping, setStopping] = useState(false);
  const goesOn = data?.state === 'running' || data?.state === 'pending';
  return (
    <Page
      title={`Allocation ${id.slice(0, 8)}`}
      actions={
        data !== undefined && (
          <>
            <AllocationState {...data} />
            {mayStop && goesOn && data.wanted && <Button onClick={() => setStopping(true)}>Stop …</Button>}
            <Link to="/fleet" className="text-accent hover:underline">
              The whole fleet
            </Link>
          </>
        )
      }
    >
      {error && <Problem error={error} />}
      {data !== undefined && <Facts allocation={data} />}
      {data !== undefined && mayRead && (
        <Log id={id} goesOn={goesOn} stream={STREAMS.find((each) => each === stream) ?? 'stdout'} />
      )}
      {data !== undefined && <Events events={data.events} />}
      {data !== undefined && stopping && <StopDialog allocation={data} onClose={() => setStopping(false)} />}
    </Page>
  );
}

function Facts({ allocation }: { allocation: FleetAllocationDetails }) {
  const { node, job, version, since, changedAt, restarts, message, memoryMib, usedMib } = allocation;
  return (
    <div className="space-y-1">
      <p>
        On <bdi>{node}</bdi>, of the job <bdi>{job}</bdi>
        {version !== null && ` in version ${version}`}; placed {clock(since)}, changed {clock(changedAt)}
        {restarts > 0 && `, restarted ${restarts === 1 ? 'once' : `${restarts} times`}`}.
      </p>
      {message !== '' && (
        <p className="text-muted">
          <bdi>{visible(message)}</bdi>
        </p>
      )}
      {memoryMib !== null && (
        <div className="max-w-sm">
          <Meter
            label="Memory"
            value={usedMib ?? 0}
            most={memoryMib}
            text={
              usedMib === null
                ? `${gib(memoryMib)} asked for; its node does not say what it takes`
                : `${usedMib} of ${memoryMib} MiB of memory`
            }
          />
        </div>
      )}
    </div>
  );
}

function Log({ id, stream, goesOn }: { id: string; stream: LogStream; goesOn: boolean }) {
  const { lines, error } = useAllocationLog(id, stream, goesOn);
  const view = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  useEffect(() => {
    if (atEnd.current && view.current !== null) view.current.scrollTop = view.current.scrollHeight;
  }, [lines]);
  const choices = STREAMS.map((name) => ({ name, search: name === 'stdout' ? {} : { stream: name } }));
  return (
    <Section
      title="What it writes"
      actions={<Choices label="Stream" to={`/fleet/allocations/${id}`} chosen={stream} choices={choices} />}
    >
      {error !== undefined && <Problem error={error} />}
      <div
        ref={view}
        role="region"
        aria-label={`Log of ${id.slice(0, 8)}, ${stream}`}
        tabIndex={0}
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
          atEnd.current = scrollHeight - scrollTop - clientHeight < 20;
        }}
        className="h-96 overflow-auto rounded-lg border border-line bg-surface p-2 font-mono text-sm leading-5 whitespace-pre"
      >
        {lines.length === 0 && <p className="text-muted">Nothing was written yet.</p>}
        {lines.map(({ line, text }) => (
          <div key={line}>
            {spansOf(text.slice(0, 4_000)).map(({ text: part, className }, index) => (
              <span key={index} className={className}>
                {part}
              </span>
            ))}
          </div>
        ))}
      </div>
    </Section>
  );
}

function Events({ events }: { events: FleetAllocationDetails['events'] }) {
  if (events.length === 0) return null;
  return (
    <Section title="What happened to it">
      <Table label="Events" heads={['When', 'What', 'In words']}>
        {events.map(({ at, type, message }) => (
          <tr key={`${at} ${type}`}>
            <Cell className="whitespace-nowrap text-muted">
              <time dateTime={at}>{clock(at)}</time>
            </Cell>
            <Cell className="whitespace-nowrap">{type}</Cell>
            <Cell>
              <bdi className="break-words">{visible(message)}</bdi>
            </Cell>
          </tr>
        ))}
      </Table>
    </Section>
  );
}
