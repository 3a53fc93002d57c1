// Edits a task that does not run yet. Where somebody else has changed the same meanwhile, both are shown, and nothing is overwritten.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import type { Task } from '../../../protocol/task.ts';
import { get, send } from '../api/client.ts';
import { Button } from '../ui/button.tsx';
import { ChangedMeanwhile } from '../ui/changed-meanwhile.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toasts.tsx';
import { draftOf, patchOf } from './draft.ts';
import { Fields } from './fields.tsx';

/** Open as long as it is rendered. */
export function EditDialog({ id, onClose }: { id: number; onClose: () => void }) {
  const { data, error } = useQuery({
    queryKey: ['task', id, 'editing'],
    queryFn: async ({ signal }) => await get<Task>(`/tasks/${id}`, {}, signal),
    gcTime: 0,
    staleTime: Infinity, // what the editor saw, until it is saved
  });
  return (
    <Dialog title={`Edit task ${id}`} onClose={onClose} width="wide">
      {error && <Problem error={error} />}
      {data && <EditForm seen={data} onClose={onClose} />}
    </Dialog>
  );
}

function EditForm({ seen: first, onClose }: { seen: Task; onClose: () => void }) {
  const cache = useQueryClient();
  const [seen, setSeen] = useState(first);
  const [draft, setDraft] = useState(() => draftOf(first));
  const [problem, setProblem] = useState<unknown>();
  const save = async (against: Task) => {
    const patch = patchOf(draft, against);
    if (patch === undefined) return onClose();
    try {
      await send<Task>('PATCH', `/tasks/${first.id}`, patch);
      await cache.invalidateQueries({ queryKey: ['task', first.id] });
      toast(`Task ${first.id} was changed.`);
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
    const theirs = await get<Task>(`/tasks/${first.id}`);
    setSeen(theirs);
    return theirs;
  };
  return (
    <form onSubmit={submit}>
      <div className="space-y-3 p-4">
        <Fields draft={draft} editing problem={problem} onChange={setDraft} />
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
