// Forges that are connected, below the projects; one is removed, after it has said what goes with it or what uses it.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Forge, ForgeUse } from '../../../protocol/forge.ts';
import { get, send } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { useMayInAll } from '../session/session.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Section } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { Cell, Head, Table } from '../ui/table.tsx';
import { toast } from '../ui/toasts.tsx';
import { forgesQuery } from './data.ts';
import { FORGE_WORDS } from './words.ts';

/** All of them; nothing where there is none. */
export function Forges() {
  const { data: forges = [] } = useQuery(forgesQuery);
  const [removed, setRemoved] = useState<string>();
  const mayRemove = useMayInAll('admin') && forges.some(({ configured }) => !configured);
  if (forges.length === 0) return null;
  return (
    <Section title="Forges">
      <Table label="Forges" heads={['Name', 'Kind', 'Address', ...(mayRemove ? ['Actions'] : [])]}>
        {forges.map(({ name, kind, url, configured }) => (
          <tr key={name}>
            <Head>{name}</Head>
            <Cell>{FORGE_WORDS[kind]}</Cell>
            <Cell className="break-all">{url}</Cell>
            {mayRemove && (
              <Cell>
                {configured ? (
                  <span className="text-muted">in the configuration</span>
                ) : (
                  <Button look="quiet" aria-label={`Remove ${name}`} onClick={() => setRemoved(name)}>
                    Remove …
                  </Button>
                )}
              </Cell>
            )}
          </tr>
        ))}
      </Table>
      {removed !== undefined && <RemoveForge name={removed} onClose={() => setRemoved(undefined)} />}
    </Section>
  );
}

function RemoveForge({ name, onClose }: { name: string; onClose: () => void }) {
  const { data, error } = useQuery({
    queryKey: ['forges', name, 'use'],
    queryFn: async ({ signal }) => await get<ForgeUse>(`/forges/${name}`, {}, signal),
    staleTime: 0,
  });
  const [problem, setProblem] = useState<unknown>();
  const remove = async () => {
    try {
      await send<Forge>('DELETE', `/forges/${name}`);
      toast(`${name} is removed.`);
      onClose();
      await queries.invalidateQueries({ queryKey: ['forges'], exact: true });
    } catch (failure) {
      setProblem(failure);
    }
  };
  const isUsed =
    data !== undefined && [data.projects, data.changes, data.sources].some((each) => each.length > 0);
  return (
    <Dialog title={`Remove ${name}?`} onClose={onClose}>
      <div className="space-y-3 p-4">
        {error && <Problem error={error} />}
        {data !== undefined && (isUsed ? <Uses use={data} /> : <WhatGoes use={data} />)}
        {problem !== undefined && <Problem error={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Leave it so</Button>
          {data !== undefined && !isUsed && (
            <Button look="danger" onClick={() => void remove()}>
              Remove
            </Button>
          )}
        </div>
      </div>
    </Dialog>
  );
}

function WhatGoes({ use: { url, secrets } }: { use: ForgeUse }) {
  return (
    <>
      <p>What goes with it:</p>
      <ul className="list-disc space-y-1 pl-5">
        {secrets.map((secret) => (
          <li key={secret}>
            its secret <code>{secret}</code>
          </li>
        ))}
      </ul>
      <p>
        Tasks and changes stay and can be read. Its token and its webhooks at <bdi>{url}</bdi> are yours to
        remove there.
      </p>
    </>
  );
}

function Uses({ use: { projects, changes, sources } }: { use: ForgeUse }) {
  const users = [
    ...projects.map((name) => ({ text: `Project ${name}`, to: `/projects/${name}`, search: {} })),
    ...changes.map((id) => ({ text: `Open change ${id}`, to: `/changes/${id}`, search: {} })),
    ...sources.map((name) => ({ text: `Source ${name}`, to: '/intake', search: { source: name } })),
  ];
  return (
    <>
      <p>It is used, and cannot be removed before these are gone:</p>
      <ul aria-label="What uses it" className="list-disc space-y-1 pl-5">
        {users.map(({ text, to, search }) => (
          <li key={text}>
            <Link to={to as '/'} search={search as never} className="text-accent hover:underline">
              {text}
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}
