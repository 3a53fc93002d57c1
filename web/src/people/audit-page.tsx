// Who asked for which change, and what came of it: a page of records at a time, the filter in the address. For admins.
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { FormEvent } from 'react';
import type { AuditRecord } from '../../../protocol/person.ts';
import { get } from '../api/client.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { Field, Input } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { Cell, Table } from '../ui/table.tsx';

const MOST = 100;

/** The page at `/audit`. */
export function AuditPage() {
  const { actor, project, refused } = useSearch({ strict: false }) as {
    actor?: string;
    project?: string;
    refused?: boolean;
  };
  const navigate = useNavigate();
  const { data, error, hasNextPage, fetchNextPage, isFetching } = useInfiniteQuery({
    queryKey: ['audit', actor, project, refused],
    initialPageParam: undefined as number | undefined,
    queryFn: async ({ pageParam: before, signal }) =>
      await get<AuditRecord[]>('/audit-records', { actor, project, refused, before, limit: MOST }, signal),
    getNextPageParam: (last) => (last.length < MOST ? undefined : last.at(-1)?.id),
  });
  const filter = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const text = (name: string) => (given.get(name) as string).trim() || undefined;
    const search = {
      actor: text('actor'),
      project: text('project'),
      refused: given.has('refused') || undefined,
    };
    void navigate({ to: '/audit', search: search as never });
  };
  const records = data?.pages.flat() ?? [];
  return (
    <div className="mx-auto max-w-6xl space-y-4 p-4">
      <h1 className="text-xl font-semibold">Audit log</h1>
      <form
        key={JSON.stringify([actor, project, refused])}
        onSubmit={filter}
        className="flex flex-wrap items-end gap-3"
      >
        <Field label="Who">
          <Input name="actor" defaultValue={actor} />
        </Field>
        <Field label="Project">
          <Input name="project" defaultValue={project} />
        </Field>
        <label className="flex min-h-7 items-center gap-2">
          <input type="checkbox" name="refused" defaultChecked={refused === true} /> only what was not done
        </label>
        <Button type="submit">Show</Button>
      </form>
      {error && <Problem error={error} />}
      {data !== undefined && records.length === 0 && (
        <Empty title="No changes">
          <p>Every change that a person or a program asks for is recorded here, what was refused too.</p>
        </Empty>
      )}
      {records.length > 0 && (
        <Table label="Records" heads={['When', 'Who', 'From', 'What', 'Project', 'Result']}>
          {records.map((record) => (
            <Row key={record.id} record={record} />
          ))}
        </Table>
      )}
      {hasNextPage && (
        <Button disabled={isFetching} onClick={() => void fetchNextPage()}>
          Older
        </Button>
      )}
    </div>
  );
}

function Row({ record }: { record: AuditRecord }) {
  const { at, actor, role, session, token, address, method, route, target, project, status, code } = record;
  const { made, ...named } = target;
  const what = Object.entries(named).reduce(
    (so, [name, value]) => so.replace(`:${name}`, value),
    route.replace('/api/v1', ''),
  );
  const by = session === null ? (token === null ? '' : `token ${token}`) : `session ${session}`;
  return (
    <tr>
      <Cell className="whitespace-nowrap">
        <time dateTime={at}>{new Date(at).toLocaleString()}</time>
      </Cell>
      <Cell title={by}>
        {actor ?? 'unknown'} {role !== null && <span className="text-sm text-muted">{role}</span>}
      </Cell>
      <Cell>{address}</Cell>
      <Cell>
        <code className="break-all">
          {method} <bdi>{what}</bdi>
        </code>
        {made !== undefined && <span className="text-muted"> made {made}</span>}
      </Cell>
      <Cell>{project ?? '–'}</Cell>
      <Cell>
        {status === null ? (
          <Badge tone="warn">not known</Badge>
        ) : (
          <Badge tone={code === null && status < 400 ? 'good' : 'bad'}>{code ?? status}</Badge>
        )}
      </Cell>
    </tr>
  );
}
