// The sources: whether each works; added, changed, tested, paused and removed.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { IntakeSource } from '../../../protocol/intake.ts';
import { act } from '../api/act.ts';
import { get, send } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { useMayInAll } from '../session/session.ts';
import { Ago } from '../ui/ago.tsx';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { Section } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { Cell, Head, Table } from '../ui/table.tsx';
import { RemoveDialog } from './remove-dialog.tsx';
import { SetupDialog } from './source-setup.tsx';
import { SourceDialog } from './source-dialog.tsx';
import { TestDialog } from './source-test.tsx';

const LOOK_MS = 5_000;

/** All sources; `chosen` is the one whose deliveries are shown below. */
export function Sources({ chosen }: { chosen: string | undefined }) {
  const { data, error } = useQuery({
    queryKey: ['intake', 'sources'],
    queryFn: async ({ signal }) => await get<IntakeSource[]>('/intake/sources', {}, signal),
    refetchInterval: LOOK_MS,
  });
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  const mayAdd = useMayInAll('admin');
  return (
    <Section
      title="Sources"
      actions={
        <>
          {mayAdd && <Button onClick={() => setOpen({ what: 'add' })}>Add a source</Button>}
          {chosen !== undefined && (
            <Link to="/intake" className="text-accent hover:underline">
              Show all
            </Link>
          )}
        </>
      }
    >
      {error && <Problem error={error} />}
      {data?.length === 0 && (
        <Empty title="No sources yet">
          <p>
            A source is where work comes from by itself: issues and reviews of a forge, a queue, alarms, a
            tracker, the clock.{!mayAdd && ' An admin adds one.'}
          </p>
        </Empty>
      )}
      {data !== undefined && data.length > 0 && (
        <Table
          label="Sources"
          heads={['Name', 'Kind', 'Project', 'How it is', 'Waiting', 'Looked', 'Actions']}
        >
          {data.map((source) => (
            <Row key={source.name} source={source} onOpen={(what) => setOpen({ what, source })} />
          ))}
        </Table>
      )}
      {open !== undefined && <Opened open={open} onOpen={setOpen} onClose={close} />}
    </Section>
  );
}

/** What is done with a source in a dialog. */
type Doing = 'test' | 'edit' | 'setup' | 'remove';
type Open = { what: 'add' } | { what: Doing | 'added'; source: IntakeSource };

interface OpenedProps {
  open: Open;
  onOpen: (open: Open) => void;
  onClose: () => void;
}

function Opened({ open, onOpen, onClose }: OpenedProps) {
  if (open.what === 'add')
    return <SourceDialog onClose={onClose} onAdded={(source) => onOpen({ what: 'added', source })} />;
  const { what, source } = open;
  const { name } = source;
  if (what === 'edit') return <SourceDialog name={name} onClose={onClose} />;
  if (what === 'test') return <TestDialog source={name} onClose={onClose} />;
  if (what === 'remove') return <RemoveDialog source={source} onClose={onClose} />;
  const title = what === 'added' ? `${name} is added` : `How ${name} is set up`;
  return <SetupDialog source={source} title={title} onClose={onClose} />;
}

function Row({ source, onOpen }: { source: IntakeSource; onOpen: (what: Doing) => void }) {
  const { name, kind, project, paused, trouble, waiting, lookedAt } = source;
  const mayPause = useMayInAll('operator');
  const mayChange = useMayInAll('admin');
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
        {mayPause && (
          <span className="flex gap-1">
            <Button look="quiet" aria-label={`Test ${name}`} onClick={() => onOpen('test')}>
              Test
            </Button>
            <Button
              look="quiet"
              aria-label={`${paused ? 'Resume' : 'Pause'} ${name}`}
              onClick={() => void turn()}
            >
              {paused ? 'Resume' : 'Pause'}
            </Button>
            {mayChange && (
              <>
                <Button look="quiet" aria-label={`Edit ${name}`} onClick={() => onOpen('edit')}>
                  Edit
                </Button>
                <Button look="quiet" aria-label={`Set up ${name}`} onClick={() => onOpen('setup')}>
                  Set up
                </Button>
                <Button look="quiet" aria-label={`Remove ${name}`} onClick={() => onOpen('remove')}>
                  Remove
                </Button>
              </>
            )}
          </span>
        )}
      </Cell>
    </tr>
  );
}
