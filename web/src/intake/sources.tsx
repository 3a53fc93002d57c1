// The sources: whether each works, a look whether it is set up well, a pause.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { IntakeSource, SourceTest } from '../../../protocol/intake.ts';
import { act } from '../api/act.ts';
import { get, send } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { useMayInAll } from '../session/session.ts';
import { Ago } from '../ui/ago.tsx';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Empty } from '../ui/empty.tsx';
import { Section } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { Cell, Head, Table } from '../ui/table.tsx';

const LOOK_MS = 5_000;

/** All sources; `chosen` is the one whose deliveries are shown below. */
export function Sources({ chosen }: { chosen: string | undefined }) {
  const { data, error } = useQuery({
    queryKey: ['intake', 'sources'],
    queryFn: async ({ signal }) => await get<IntakeSource[]>('/intake/sources', {}, signal),
    refetchInterval: LOOK_MS,
  });
  const [tested, setTested] = useState<string>();
  return (
    <Section
      title="Sources"
      actions={
        chosen !== undefined && (
          <Link to="/intake" className="text-accent hover:underline">
            Show all
          </Link>
        )
      }
    >
      {error && <Problem error={error} />}
      {data?.length === 0 && (
        <Empty title="No sources yet">
          <p>
            A source is where work comes from by itself: issues and reviews of a forge, a queue, alarms, a
            tracker, the clock. Add one with <code>autocode intake source add NAME --kind KIND</code>.
          </p>
        </Empty>
      )}
      {data !== undefined && data.length > 0 && (
        <Table
          label="Sources"
          heads={['Name', 'Kind', 'Project', 'How it is', 'Waiting', 'Looked', 'Actions']}
        >
          {data.map((source) => (
            <Row key={source.name} source={source} onTest={() => setTested(source.name)} />
          ))}
        </Table>
      )}
      {tested !== undefined && <Test source={tested} onClose={() => setTested(undefined)} />}
    </Section>
  );
}

function Row({ source, onTest }: { source: IntakeSource; onTest: () => void }) {
  const { name, kind, project, paused, trouble, waiting, lookedAt } = source;
  const mayChange = useMayInAll('operator');
  const verb = paused ? 'resume' : 'pause';
  const turn = async () =>
    await act(
      'intake',
      async () => await send('POST', `/intake/sources/${name}/${verb}`),
      () => (paused ? `${name} goes on.` : `${name} is paused: what comes is kept, and waits.`),
    );
  return (
    <tr>
      <Head>
        <Link to="/intake" search={{ source: name } as never} className="text-accent hover:underline">
          {name}
        </Link>
      </Head>
      <Cell>{kind}</Cell>
      <Cell>{project ?? <span className="text-muted">by its repository</span>}</Cell>
      <Cell className="max-w-md">
        {paused && <Badge tone="warn">paused</Badge>}
        {!paused && (trouble === null ? <Badge tone="good">works</Badge> : <Badge tone="bad">trouble</Badge>)}
        {trouble !== null && (
          <span className="block text-sm break-words text-muted">
            <bdi>{visible(trouble)}</bdi>
          </span>
        )}
      </Cell>
      <Cell>{waiting}</Cell>
      <Cell className="whitespace-nowrap">
        {lookedAt === null ? <span className="text-muted">it tells us</span> : <Ago at={lookedAt} />}
      </Cell>
      <Cell>
        {mayChange && (
          <span className="flex gap-1">
            <Button look="quiet" aria-label={`Test ${name}`} onClick={onTest}>
              Test
            </Button>
            <Button
              look="quiet"
              aria-label={`${paused ? 'Resume' : 'Pause'} ${name}`}
              onClick={() => void turn()}
            >
              {paused ? 'Resume' : 'Pause'}
            </Button>
          </span>
        )}
      </Cell>
    </tr>
  );
}

function Test({ source, onClose }: { source: string; onClose: () => void }) {
  const { data, error, isFetching } = useQuery({
    queryKey: ['source-test', source],
    queryFn: async () => await send<SourceTest>('POST', `/intake/sources/${source}/test`),
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
  return (
    <Dialog title={`Test of ${source}`} onClose={onClose}>
      <div className="space-y-3 p-4">
        {isFetching && <p className="text-muted">Looking. It starts no work.</p>}
        {error && <Problem error={error} />}
        {data !== undefined && (
          <ul className="space-y-1.5">
            {data.checks.map(({ name, ok, detail }) => (
              <li key={name}>
                <Badge tone={ok ? 'good' : 'bad'}>{ok ? 'good' : 'not good'}</Badge>{' '}
                <bdi className="font-medium">{name}</bdi>
                <span className="block break-words text-muted">
                  <bdi>{visible(detail)}</bdi>
                </span>
              </li>
            ))}
          </ul>
        )}
        <div className="flex justify-end">
          <Button onClick={onClose}>Close</Button>
        </div>
      </div>
    </Dialog>
  );
}
