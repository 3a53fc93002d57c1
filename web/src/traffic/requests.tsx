// The requests, the last first: where to, whether they were let out and by which rule, how much went out and came in.
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { TrafficPage, TrafficRecord } from '../../../protocol/traffic.ts';
import { get } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { useMayInAll } from '../session/session.ts';
import { clock } from '../task/format.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { Problem } from '../ui/problem.tsx';
import { Cell, Table } from '../ui/table.tsx';
import { bytes } from './bytes.ts';
import { searchOf, type TrafficFilter } from './filter.ts';

const MOST = 100;

/** Those that pass the filter. */
export function Requests({ filter }: { filter: TrafficFilter }) {
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage, isFetching } = useInfiniteQuery({
    queryKey: ['egress', 'traffic', filter],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam: before, signal }) =>
      await get<TrafficPage>('/traffic', { ...filter, before, limit: MOST }, signal),
    getNextPageParam: ({ records }) => (records.length < MOST ? undefined : records.at(-1)?.id),
  });
  const records = data?.pages.flatMap((page) => page.records) ?? [];
  return (
    <div className="space-y-2" aria-busy={isFetching}>
      {error && <Problem error={error} />}
      {data !== undefined && records.length === 0 && (
        <Empty title={Object.keys(filter).length > 0 ? 'No request passes this filter' : 'No requests yet'}>
          <p>
            Each request of a run to the outside goes through the egress proxy and is recorded here, also when
            it was not let out. Where nothing comes, look whether <code>egress</code> is configured.
          </p>
        </Empty>
      )}
      {data?.pages.some(({ complete }) => !complete) === true && (
        <p className="text-warn">There is more than was looked through. Narrow the filter.</p>
      )}
      {records.length > 0 && (
        <Table label="Requests" heads={['When', 'Run', 'Request', 'Decision', 'Status', 'Out', 'In']}>
          {records.map((record) => (
            <Row key={record.id} record={record} />
          ))}
        </Table>
      )}
      {hasNextPage && (
        <Button disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          Older
        </Button>
      )}
    </div>
  );
}

const TONES = { allowed: 'good', denied: 'bad', refused: 'warn' } as const;

function Row({ record }: { record: TrafficRecord }) {
  const mayAllow = useMayInAll('admin');
  const { at, run, task, project, method, decision, status, bytesOut, bytesIn } = record;
  const where = record.url ?? (record.host === null ? '' : `${record.host}:${record.port ?? ''}`);
  return (
    <tr>
      <Cell className="whitespace-nowrap text-muted">
        <time dateTime={at}>{clock(at)}</time>
      </Cell>
      <Cell className="whitespace-nowrap">
        {run === null || task === null ? (
          <span className="text-muted">not known</span>
        ) : (
          <Link to={`/tasks/${task}` as '/'} className="text-accent underline">
            {run}
          </Link>
        )}{' '}
        <bdi className="text-sm text-muted">{project}</bdi>
      </Cell>
      <Cell className="max-w-2xl min-w-64">
        <code className="break-all">
          {method} <bdi>{visible(where)}</bdi>
        </code>
        <Notes record={record} />
      </Cell>
      <Cell className="max-w-sm min-w-40">
        <Badge tone={TONES[decision]}>{decision}</Badge>
        {(record.rule ?? record.reason) !== null && (
          <span className="block text-sm break-words text-muted">
            <bdi>{visible(record.rule ?? record.reason ?? '')}</bdi>
          </span>
        )}
        {record.allowedBy !== null && (
          <span className="block text-sm">
            would be allowed by <code className="break-all">{visible(record.allowedBy)}</code>
            {mayAllow && (
              <>
                {' '}
                <Link
                  to="/traffic"
                  search={
                    {
                      ...searchOf('policy', project === null ? {} : { project }),
                      allow: record.allowedBy,
                    } as never
                  }
                  className="text-accent underline"
                >
                  Allow …
                </Link>
              </>
            )}
          </span>
        )}
      </Cell>
      <Cell>{status ?? '–'}</Cell>
      <Cell className="whitespace-nowrap">{bytes(bytesOut)}</Cell>
      <Cell className="whitespace-nowrap">{bytes(bytesIn)}</Cell>
    </tr>
  );
}

function Notes({ record: { injected, misused, limited, cache, error } }: { record: TrafficRecord }) {
  return (
    <span className="flex flex-wrap gap-1">
      {injected.map((secret) => (
        <Badge key={secret} tone="info">
          secret {secret} put in
        </Badge>
      ))}
      {misused !== null && <Badge tone="bad">a secret that may not go there {misused}</Badge>}
      {limited !== null && <Badge tone="warn">over its limit</Badge>}
      {cache === 'hit' && <Badge>from the cache</Badge>}
      {error !== null && <span className="text-sm break-words text-bad">{visible(error)}</span>}
    </span>
  );
}
