// Edits a thing that others may edit, too: what was seen is held against what is saved, and where somebody else has changed the same
// meanwhile, both are shown and nothing is overwritten. Used for tasks and projects.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent, type ReactNode } from 'react';
import { get, send } from '../api/client.ts';
import { Button } from './button.tsx';
import { ChangedMeanwhile } from './changed-meanwhile.tsx';
import { Dialog } from './dialog.tsx';
import { Problem } from './problem.tsx';
import { toast } from './toasts.tsx';

interface EditProps<Thing, Draft> {
  /** Where the thing is read and patched. */
  address: string;
  draftOf: (seen: Thing) => Draft;
  /** Nothing where the draft changes nothing. */
  patchOf: (draft: Draft, seen: Thing) => object | undefined;
  fields: (edited: {
    seen: Thing;
    draft: Draft;
    problem: unknown;
    onChange: (draft: Draft) => void;
  }) => ReactNode;
  /** What is read anew once it was saved. */
  stale: unknown[][];
  saved: string;
  onClose: () => void;
}

/** Open as long as it is rendered. */
export function EditDialog<Thing, Draft>({ title, ...props }: EditProps<Thing, Draft> & { title: string }) {
  const { data, error } = useQuery({
    queryKey: ['editing', props.address],
    queryFn: async ({ signal }) => await get<Thing>(props.address, {}, signal),
    gcTime: 0,
    staleTime: Infinity, // what the editor saw, until it is saved
    refetchOnReconnect: false,
  });
  return (
    <Dialog title={title} onClose={props.onClose} width="wide">
      {error && <Problem error={error} />}
      {data && <EditForm {...props} first={data} />}
    </Dialog>
  );
}

function EditForm<Thing, Draft>({
  address,
  draftOf,
  patchOf,
  fields,
  stale,
  saved,
  onClose,
  first,
}: EditProps<Thing, Draft> & { first: Thing }) {
  const cache = useQueryClient();
  const [seen, setSeen] = useState(first);
  const [draft, setDraft] = useState(() => draftOf(first));
  const [problem, setProblem] = useState<unknown>();
  const save = async (against: Thing) => {
    const patch = patchOf(draft, against);
    if (patch === undefined) return onClose();
    try {
      await send('PATCH', address, patch);
      for (const queryKey of stale) await cache.invalidateQueries({ queryKey });
      toast(saved);
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
    const theirs = await get<Thing>(address);
    setSeen(theirs);
    return theirs;
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <div className="space-y-4 p-4">
        {fields({ seen, draft, problem, onChange: setDraft })}
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
