// What is in Nomad: nodes, the jobs of workers with how far each is, allocations. Nothing where there is no Nomad; where it is away
// that is told here, and the rest of the page goes on.
import { useQuery } from '@tanstack/react-query';
import type { FleetAllocation, FleetJob, FleetNode } from '../../../protocol/fleet.ts';
import { get } from '../api/client.ts';
import { Badge, type Tone } from '../ui/badge.tsx';
import { Empty } from '../ui/empty.tsx';
import { Meter } from '../ui/meter.tsx';
import { Section } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { Cell, Head, Table } from '../ui/table.tsx';
import { Allocations } from './allocations.tsx';
import { Nodes } from './nodes.tsx';

const LOOK_MS = 10_000;

/** A list of the fleet; it is asked for anew by the clock, as Nomad's changes are no events of ours. */
function useFleet<T>(list: 'nodes' | 'deployments' | 'allocations') {
  return useQuery({
    queryKey: ['fleet', list],
    queryFn: async ({ signal }) => await get<T[]>(`/fleet/${list}`, {}, signal),
    refetchInterval: LOOK_MS,
    retry: false,
  });
}

/** All of it. */
export function Cluster() {
  const nodes = useFleet<FleetNode>('nodes');
  const jobs = useFleet<FleetJob>('deployments');
  const allocations = useFleet<FleetAllocation>('allocations');
  const error = nodes.error ?? jobs.error ?? allocations.error;
  if (error !== null) {
    return (
      <Section title="Cluster">
        <Problem error={error} />
      </Section>
    );
  }
  if (nodes.data === undefined || nodes.data.length === 0) return null;
  return (
    <>
      <Section title="Deployments">
        {jobs.data?.length === 0 && (
          <Empty title="No workers are deployed">
            <p>
              <code>autocode worker deploy --dry-run</code> shows what placing them would change.
            </p>
          </Empty>
        )}
        {jobs.data !== undefined && jobs.data.length > 0 && (
          <Table label="Deployments" heads={['Job', 'How it is', 'Healthy', 'Placed']}>
            {jobs.data.map((job) => (
              <JobRow key={job.job} job={job} />
            ))}
          </Table>
        )}
      </Section>
      <Allocations allocations={allocations.data ?? []} />
      <Nodes nodes={nodes.data} />
    </>
  );
}

const TONES: Record<FleetJob['state'], Tone> = {
  pending: 'info',
  running: 'info',
  healthy: 'good',
  reverting: 'warn',
  reverted: 'warn',
  failed: 'bad',
  replaced: 'neutral',
};

function JobRow({ job }: { job: FleetJob }) {
  const { job: name, mode, version, state, description, desired, placed, healthy, shortage } = job;
  return (
    <tr>
      <Head>
        <bdi>{name}</bdi>
        <span className="block text-sm font-normal text-muted">
          {mode}, version {version}
        </span>
      </Head>
      <Cell className="max-w-xl">
        <Badge tone={TONES[state]}>{state}</Badge> <bdi className="text-sm text-muted">{description}</bdi>
        {shortage.map((each) => (
          <span key={each} className="block text-sm break-words text-bad">
            {each}
          </span>
        ))}
      </Cell>
      <Cell className="min-w-32">
        <Meter
          label={`Healthy of ${name}`}
          value={healthy}
          most={desired}
          text={`${healthy} of ${desired}`}
          plain
        />
      </Cell>
      <Cell>{placed}</Cell>
    </tr>
  );
}
