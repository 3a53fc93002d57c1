// How the appliance is: its parts with what is wrong with each, what there is to do, room on the disk, where it serves.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Status } from '../../../protocol/status.ts';
import { get } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { useMayInAll } from '../session/session.ts';
import { clock } from '../task/format.ts';
import { Badge, type Tone } from '../ui/badge.tsx';
import { Meter } from '../ui/meter.tsx';
import { Page, Section } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { Cell, Head, Table } from '../ui/table.tsx';

const LOOK_MS = 10_000;
const GIB = 1024 ** 3;
const TONES: Record<Status['parts'][number]['state'], Tone> = {
  ok: 'good',
  degraded: 'warn',
  down: 'bad',
  off: 'neutral',
};

/** The page at `/system`. */
export function SystemPage() {
  const isAdmin = useMayInAll('admin');
  const { data, error } = useQuery({
    queryKey: ['status'],
    queryFn: async ({ signal }) => await get<Status>('/status', {}, signal),
    refetchInterval: LOOK_MS,
  });
  return (
    <Page title="System">
      {error && <Problem error={error} />}
      {data !== undefined && (
        <>
          <Table label="Parts" heads={['Part', 'How it is', 'More']}>
            {data.parts.map(({ name, state, detail }) => (
              <tr key={name}>
                <Head>{name}</Head>
                <Cell>
                  <Badge tone={TONES[state]}>{state}</Badge>
                </Cell>
                <Cell className="min-w-64 break-words">
                  <bdi>{visible(detail)}</bdi>
                </Cell>
              </tr>
            ))}
          </Table>
          <Section title="This appliance">
            <Facts status={data} />
            <p className="text-muted">
              What is configured is told by{' '}
              {isAdmin ? (
                <Link to="/settings" className="text-accent underline">
                  the settings
                </Link>
              ) : (
                <>
                  <code>autocode config show</code> on its machine
                </>
              )}
              , each with where it comes from.
            </p>
          </Section>
        </>
      )}
    </Page>
  );
}

function Facts({ status }: { status: Status }) {
  const { version, installation, startedAt, roles, apiUrl, gatewayUrl, disk, memoryBytes } = status;
  const used = disk.totalBytes - disk.freeBytes;
  const facts: [name: string, value: string][] = [
    ['Version', version],
    ['Installation', installation],
    ['Runs since', clock(startedAt)],
    ['Roles', roles.join(', ')],
    ['API', apiUrl],
    ['Gateway', gatewayUrl ?? 'none'],
    ['Tasks', counted(status.tasks)],
    ['Runs', counted(status.runs)],
    ['Memory of the daemon', `${Math.round(memoryBytes / 1024 ** 2)} MiB`],
  ];
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-1 rounded-lg border border-line bg-surface p-3">
      {facts.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-muted">{name}</dt>
          <dd className="min-w-0 break-words">{value}</dd>
        </div>
      ))}
      <dt className="text-muted">Disk</dt>
      <dd className="max-w-80">
        <Meter
          label="Disk"
          value={used}
          most={disk.totalBytes}
          text={`${Math.round(disk.freeBytes / GIB)} of ${Math.round(disk.totalBytes / GIB)} GiB free`}
        />
      </dd>
    </dl>
  );
}

function counted(counts: Record<string, number>): string {
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  return some.length === 0 ? 'none' : some.map(([state, count]) => `${count} ${state}`).join(', ');
}
