// Workers: how each is, what runs there, what it has room for; drained and let go on.
import { useQuery } from '@tanstack/react-query';
import type { Worker } from '../../../protocol/worker.ts';
import { act } from '../api/act.ts';
import { get, send } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { useMayInAll } from '../session/session.ts';
import { Ago } from '../ui/ago.tsx';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { Meter } from '../ui/meter.tsx';
import { Section } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { Cell, Head, Table } from '../ui/table.tsx';
import { gib } from './sizes.ts';
import { WorkerRuns } from './worker-runs.tsx';

const LOOK_MS = 10_000; // resources change without an event

/** All of them. */
export function Workers() {
  const { data, error } = useQuery({
    queryKey: ['workers'],
    queryFn: async ({ signal }) => await get<Worker[]>('/workers', {}, signal),
    refetchInterval: LOOK_MS,
  });
  return (
    <Section title="Workers">
      {error && <Problem error={error} />}
      {data?.length === 0 && (
        <Empty title="No workers yet">
          <p>
            A worker takes runs, each in a sandbox. The daemon starts one by itself; another machine joins by
            the command that <code>autocode worker invite</code> prints.
          </p>
        </Empty>
      )}
      {data !== undefined && data.length > 0 && (
        <Table
          label="Workers"
          heads={['Name', 'How it is', 'Runs', 'Memory', 'What it has', 'Seen', 'Actions']}
        >
          {data.map((worker) => (
            <Row key={worker.name} worker={worker} />
          ))}
        </Table>
      )}
    </Section>
  );
}

function Row({ worker }: { worker: Worker }) {
  const { name, host, version, state, draining, trouble, capacity, running, runs, resources, reservedMib } =
    worker;
  return (
    <tr>
      <Head>
        <bdi>{name}</bdi>
        <span className="block text-sm font-normal text-muted">
          <bdi>{host}</bdi>, {version}
        </span>
      </Head>
      <Cell className="max-w-sm">
        <Badge tone={state === 'online' ? 'good' : 'bad'}>{state}</Badge>{' '}
        {draining && <Badge tone="warn">takes no runs</Badge>}
        {trouble !== null && (
          <span className="block text-sm break-words text-bad">
            <bdi>{visible(trouble)}</bdi>
          </span>
        )}
      </Cell>
      <Cell className="min-w-32">
        <Meter label={`Runs of ${name}`} value={running} most={capacity} text={`${running} of ${capacity}`} />
        <WorkerRuns runs={runs} />
      </Cell>
      <Cell className="min-w-32">
        {resources === null ? (
          <span className="text-muted">not said</span>
        ) : (
          <Meter
            label={`Memory of ${name}`}
            value={reservedMib}
            most={resources.memoryMib}
            text={`${gib(reservedMib)} of ${gib(resources.memoryMib)}`}
          />
        )}
      </Cell>
      <Cell>
        <Abilities worker={worker} />
      </Cell>
      <Cell className="whitespace-nowrap">
        <Ago at={worker.lastSeen} />
      </Cell>
      <Cell>
        <DrainWorker worker={worker} />
      </Cell>
    </tr>
  );
}

function Abilities({ worker: { agents, isolations, labels, placement, project } }: { worker: Worker }) {
  return (
    <span className="flex max-w-md flex-wrap gap-1">
      {project !== null && <Badge tone="review">only {project}</Badge>}
      <Badge>{placement}</Badge>
      {isolations.map((each) => (
        <Badge key={each}>{each}</Badge>
      ))}
      {agents.map((agent) => (
        <Badge key={agent.name} tone="info">
          {agent.name} {agent.version}
        </Badge>
      ))}
      {labels.map((each) => (
        <Badge key={each}>{each}</Badge>
      ))}
    </span>
  );
}

function DrainWorker({ worker: { name, draining } }: { worker: Worker }) {
  const mayChange = useMayInAll('admin');
  if (!mayChange) return null;
  const turn = async () =>
    await act(
      'workers',
      async () => await send<Worker>(draining ? 'DELETE' : 'PUT', `/workers/${name}/drain`),
      () => (draining ? `${name} takes runs again.` : `${name} takes no runs, and finishes those it has.`),
    );
  const word = draining ? 'Undrain' : 'Drain';
  return (
    <Button look="quiet" aria-label={`${word} ${name}`} onClick={() => void turn()}>
      {word}
    </Button>
  );
}
