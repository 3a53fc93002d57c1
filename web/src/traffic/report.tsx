// The traffic summed up, who sent most first.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { TrafficReport } from '../../../protocol/traffic.ts';
import { get } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { Badge } from '../ui/badge.tsx';
import { Empty } from '../ui/empty.tsx';
import { Problem } from '../ui/problem.tsx';
import { Cell, Head, Table } from '../ui/table.tsx';
import { bytes } from './bytes.ts';
import { searchOf, type TrafficFilter } from './filter.ts';

/** By host, run or project; a name leads to its requests. */
export function Report({ by, filter }: { by: 'host' | 'run' | 'project'; filter: TrafficFilter }) {
  const { data, error } = useQuery({
    queryKey: ['egress', 'report', by, filter],
    queryFn: async ({ signal }) => await get<TrafficReport>('/traffic/report', { ...filter, by }, signal),
  });
  return (
    <div className="space-y-2">
      {error && <Problem error={error} />}
      {data?.groups.length === 0 && (
        <Empty title="No requests">
          <p>What passes the filter is summed up here by {by}.</p>
        </Empty>
      )}
      {data?.complete === false && (
        <p className="text-warn">There is more than was looked through. Narrow the filter.</p>
      )}
      {data !== undefined && data.groups.length > 0 && (
        <Table label={`Traffic by ${by}`} heads={[by, 'Requests', 'Not let out', 'Out', 'In']}>
          {data.groups.map(({ name, requests, denied, bytesOut, bytesIn }) => (
            <tr key={name ?? ''}>
              <Head>
                {name === null ? (
                  <span className="text-muted">not known</span>
                ) : (
                  <Link
                    to="/traffic"
                    search={searchOf('requests', { ...filter, [by]: name }) as never}
                    className="text-accent hover:underline"
                  >
                    <bdi className="break-all">{visible(name)}</bdi>
                  </Link>
                )}
              </Head>
              <Cell>{requests}</Cell>
              <Cell>{denied === 0 ? '–' : <Badge tone="bad">{denied}</Badge>}</Cell>
              <Cell className="whitespace-nowrap">{bytes(bytesOut)}</Cell>
              <Cell className="whitespace-nowrap">{bytes(bytesIn)}</Cell>
            </tr>
          ))}
        </Table>
      )}
    </div>
  );
}
