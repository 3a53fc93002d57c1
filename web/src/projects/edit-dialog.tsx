// Edits a project. Where somebody else has changed the same meanwhile, both are shown, and nothing is overwritten.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import type { Project } from '../../../protocol/project.ts';
import { get, send } from '../api/client.ts';
import { Button } from '../ui/button.tsx';
import { ChangedMeanwhile } from '../ui/changed-meanwhile.tsx';
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
        <ChangedMeanwhile
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
