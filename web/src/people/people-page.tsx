// People who sign in: what each may do and where they are signed in. For admins.
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { NewPerson, Person, PersonLink } from '../../../protocol/person.ts';
import { get, send } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { Ago } from '../ui/ago.tsx';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { Problem } from '../ui/problem.tsx';
import { Cell, Head, Table } from '../ui/table.tsx';
import { toast, toastProblem } from '../ui/toasts.tsx';
import { LinkDialog } from './link-dialog.tsx';
import { PersonDialog } from './person-dialog.tsx';

type Open =
  | { kind: 'new' }
  | { kind: 'edit'; person: Person }
  | { kind: 'link'; name: string; link: PersonLink };

/** The page at `/people`. */
export function PeoplePage() {
  const { data, error } = useQuery({ queryKey: ['person', 'all'], queryFn: () => get<Person[]>('/people') });
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  const onMade = ({ person, link }: NewPerson) => setOpen({ kind: 'link', name: person.name, link });
  const onReset = async ({ name }: Person) =>
    await tried(async () => {
      const link = await send<PersonLink>('POST', `/people/${name}/links`);
      setOpen({ kind: 'link', name, link });
    });
  return (
    <div className="mx-auto max-w-5xl space-y-4 p-4">
      <div className="flex items-center justify-between gap-2">
        <h1 className="text-xl font-semibold">People</h1>
        <Button look="primary" onClick={() => setOpen({ kind: 'new' })}>
          New person
        </Button>
      </div>
      {error && <Problem error={error} />}
      {data?.length === 0 && (
        <Empty title="Nobody signs in yet">
          <p>
            A person signs in with a password, set by a link that is opened once, and may read, operate or
            administer all projects or some of them.
          </p>
        </Empty>
      )}
      {data !== undefined && data.length > 0 && (
        <Table label="People" heads={['Name', 'May', 'Signs in with', 'Sessions', 'Seen', 'Actions']}>
          {data.map((person) => (
            <Row
              key={person.id}
              person={person}
              onEdit={() => setOpen({ kind: 'edit', person })}
              onReset={() => void onReset(person)}
            />
          ))}
        </Table>
      )}
      {open?.kind === 'new' && <PersonDialog onClose={close} onMade={onMade} />}
      {open?.kind === 'edit' && <PersonDialog person={open.person} onClose={close} />}
      {open?.kind === 'link' && <LinkDialog name={open.name} link={open.link} onClose={close} />}
    </div>
  );
}

function Row({ person, onEdit, onReset }: { person: Person; onEdit: () => void; onReset: () => void }) {
  const {
    name,
    email,
    emailConfirmed,
    role,
    projects,
    provider,
    password,
    sessions,
    lastSeenAt,
    disabledAt,
  } = person;
  const disable = async () =>
    await tried(async () => {
      await send('PATCH', `/people/${name}`, { disabled: disabledAt === null });
      toast(disabledAt === null ? `${name} is signed out and cannot sign in.` : `${name} can sign in again.`);
    });
  const signOut = async () =>
    await tried(async () => {
      const { ended } = await send<{ ended: number }>('DELETE', `/people/${name}/sessions`);
      toast(`${name} is signed out (${ended} sessions).`);
    });
  return (
    <tr>
      <Head>
        {name} {disabledAt !== null && <Badge tone="bad">disabled</Badge>}
        {email !== null && (
          <span className="block text-sm font-normal text-muted">
            {email}
            {!emailConfirmed && ', not confirmed'}
          </span>
        )}
      </Head>
      <Cell>
        <span className="flex flex-wrap gap-1">
          {role !== null && <Badge tone={role === 'admin' ? 'review' : 'info'}>{role}</Badge>}
          {Object.entries(projects).map(([project, each]) => (
            <Badge key={project}>
              {project}: {each}
            </Badge>
          ))}
        </span>
      </Cell>
      <Cell>
        {provider === null ? (password ? 'password' : 'link not used yet') : new URL(provider).host}
      </Cell>
      <Cell>{sessions}</Cell>
      <Cell>{lastSeenAt === null ? '–' : <Ago at={lastSeenAt} />}</Cell>
      <Cell>
        <span className="flex flex-wrap gap-1">
          <Button look="quiet" onClick={onEdit} aria-label={`Edit ${name}`}>
            Edit
          </Button>
          {provider === null && disabledAt === null && (
            <Button look="quiet" onClick={onReset} aria-label={`New link for ${name}`}>
              New link
            </Button>
          )}
          {sessions > 0 && (
            <Button look="quiet" onClick={() => void signOut()} aria-label={`Sign out ${name}`}>
              Sign out
            </Button>
          )}
          <Button
            look="quiet"
            onClick={() => void disable()}
            aria-label={`${disabledAt === null ? 'Disable' : 'Enable'} ${name}`}
          >
            {disabledAt === null ? 'Disable' : 'Enable'}
          </Button>
        </span>
      </Cell>
    </tr>
  );
}

/** Does it, tells what went wrong, and asks for the people anew. */
async function tried(work: () => Promise<void>): Promise<void> {
  try {
    await work();
    await queries.invalidateQueries({ queryKey: ['person'] });
  } catch (error) {
    toastProblem(error);
  }
}
