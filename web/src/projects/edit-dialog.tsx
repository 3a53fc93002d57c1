// Edits a project. Where somebody else has changed the same meanwhile, both are shown, and nothing is overwritten.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import type { Project } from '../../../protocol/project.ts';
import { ApiError, get, send } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toasts.tsx';
import { ChangeFields } from './change-fields.tsx';
import { draftOf, patchOf } from './draft.ts';
import { OrderFields } from './order-fields.tsx';
import { SandboxFields } from './sandbox-fields.tsx';
import { WorkFields } from './work-fields.tsx';

/** Open as long as it is rendered. */
export function EditDialog({ name, onClose }: { name: string; onClose: () => void }) {
  const { data, error } = useQuery({
    queryKey: ['project', name, 'editing'],
    queryFn: async ({ signal }) => await get<Project>(`/projects/${name}`, {}, signal),
    gcTime: 0,
    staleTime: Infinity, // what the editor saw, until it is saved
    refetchOnReconnect: false,
  });
  return (
    <Dialog title={`Edit ${name}`} onClose={onClose} width="wide">
      {error && <Problem error={error} />}
      {data && <EditForm first={data} onClose={onClose} />}
    </Dialog>
  );
}

function EditForm({ first, onClose }: { first: Project; onClose: () => void }) {
  const cache = useQueryClient();
  const [seen, setSeen] = useState(first);
  const [draft, setDraft] = useState(() => draftOf(first));
  const [problem, setProblem] = useState<unknown>();
  const address = `/projects/${first.name}`;
  const save = async (against: Project) => {
    const patch = patchOf(draft, against);
    if (patch === undefined) return onClose();
    try {
      await send<Project>('PATCH', address, patch);
      await cache.invalidateQueries({ queryKey: ['project'] });
      await cache.invalidateQueries({ queryKey: ['projects'] });
      toast(`${first.name} was changed; what begins from now on goes by it.`);
      onClose();
    } catch (error) {
      setProblem(error);
    }
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    await save(seen);
  };
  const taken = async () => {
    const theirs = await get<Project>(address);
    setSeen(theirs);
    return theirs;
  };
  const parts = { draft, problem, onChange: setDraft };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <div className="space-y-6 p-4">
        <WorkFields {...parts} repositories={seen.repositories.map(({ name }) => name)} />
        <OrderFields {...parts} />
        <SandboxFields {...parts} />
        <ChangeFields {...parts} />
        {problem !== undefined && <Problem error={problem} />}
        <Changed
          problem={problem}
          onOverwrite={async () => await save(await taken())}
          onTake={async () => {
            setDraft(draftOf(await taken()));
            setProblem(undefined);
          }}
        />
      </div>
      <div className="sticky bottom-0 flex justify-end gap-2 border-t border-line bg-surface px-4 py-2.5">
        <Button onClick={onClose}>Close</Button>
        <Button type="submit" look="primary">
          Save
        </Button>
      </div>
    </form>
  );
}

interface ChangedProps {
  problem: unknown;
  onOverwrite: () => Promise<void>;
  onTake: () => Promise<void>;
}

/** What somebody else has changed meanwhile, and what to do about it. */
function Changed({ problem, onOverwrite, onTake }: ChangedProps) {
  if (!(problem instanceof ApiError) || problem.code !== 'ERR_CONFLICT') return null;
  const { changed } = (problem.details ?? {}) as { changed?: Record<string, { is: unknown }> };
  if (changed === undefined) return null;
  return (
    <section aria-label="Changed meanwhile" className="space-y-2 rounded-md border border-warn/50 p-3">
      {Object.entries(changed).map(([field, { is }]) => (
        <p key={field}>
          <span className="font-medium">{field}</span> is now{' '}
          <bdi className="wrap-anywhere whitespace-pre-wrap">
            {visible(typeof is === 'string' ? is : JSON.stringify(is))}
          </bdi>
        </p>
      ))}
      <div className="flex gap-2">
        <Button onClick={() => void onOverwrite()}>Save mine over it</Button>
        <Button onClick={() => void onTake()}>Take theirs</Button>
      </div>
    </section>
  );
}
