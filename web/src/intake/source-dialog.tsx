// Adds a source, or changes one as it was seen: where somebody else has changed it meanwhile, both are shown, and nothing is
// overwritten unasked.
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import type { IntakeSource, SourceKinds } from '../../../protocol/intake.ts';
import { ApiError, get, send } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { visible } from '../log/visible.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Problem } from '../ui/problem.tsx';
import type { Mistake } from '../ui/schema.ts';
import { toast, toastProblem } from '../ui/toasts.tsx';
import { changedIn, draftOf, inputOf, newDraft, patchOf, type SourceDraft } from './source-draft.ts';
import { SourceFields } from './source-fields.tsx';

/** The kinds of sources, which stay the same while the daemon runs. */
export const kindsQuery = queryOptions({
  queryKey: ['source-kinds'],
  staleTime: Infinity,
  queryFn: async ({ signal }) => await get<SourceKinds>('/intake/source-kinds', {}, signal),
});

interface SourceDialogProps {
  /** The name of the one that is changed; a new one when left out. */
  name?: string;
  onClose: () => void;
  onAdded?: (source: IntakeSource) => void;
}

/** The dialog. */
export function SourceDialog({ name, onClose, onAdded }: SourceDialogProps) {
  const kinds = useQuery(kindsQuery);
  const seen = useQuery({
    queryKey: ['source', name ?? '', 'editing'],
    queryFn: async ({ signal }) => await get<IntakeSource>(`/intake/sources/${name}`, {}, signal),
    enabled: name !== undefined,
    gcTime: 0,
    staleTime: Infinity, // what the editor saw, until it is saved
  });
  const error = kinds.error ?? seen.error;
  return (
    <Dialog title={name === undefined ? 'Add a source' : `Edit ${name}`} onClose={onClose} width="wide">
      {error && <Problem error={error} />}
      {kinds.data !== undefined && name === undefined && (
        <AddForm kinds={kinds.data} onClose={onClose} onAdded={onAdded} />
      )}
      {kinds.data !== undefined && seen.data !== undefined && (
        <EditForm kinds={kinds.data} seen={seen.data} onClose={onClose} />
      )}
    </Dialog>
  );
}

interface AddProps {
  kinds: SourceKinds;
  onClose: () => void;
  onAdded: ((source: IntakeSource) => void) | undefined;
}

/** A form that goes to what is wrong in it, when that is told. */
function useToMistake(problem: unknown) {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus(), [problem]);
  return form;
}

function AddForm({ kinds, onClose, onAdded }: AddProps) {
  const [draft, setDraft] = useState(() => newDraft(kinds.kinds[0]!, kinds));
  const [problem, setProblem] = useState<unknown>();
  const form = useToMistake(problem);
  const add = async (event: FormEvent) => {
    event.preventDefault();
    try {
      const source = await send<IntakeSource>('POST', '/intake/sources', inputOf(draft));
      await afterSaving(draft);
      onClose();
      onAdded?.(source);
    } catch (error) {
      setProblem(error);
    }
  };
  return (
    <form ref={form} onSubmit={(event) => void add(event)}>
      <div className="space-y-3 p-4">
        <SourceFields
          draft={draft}
          kinds={kinds}
          editing={false}
          mistakes={mistakesOf(problem)}
          onChange={setDraft}
        />
        {problem !== undefined && <Problem error={problem} />}
      </div>
      <Foot word="Add" onClose={onClose} />
    </form>
  );
}

interface EditProps {
  kinds: SourceKinds;
  seen: IntakeSource;
  onClose: () => void;
}

function EditForm({ kinds, seen: first, onClose }: EditProps) {
  const [seen, setSeen] = useState(first);
  const [draft, setDraft] = useState(() => draftOf(first));
  const [problem, setProblem] = useState<unknown>();
  const [theirs, setTheirs] = useState<IntakeSource>();
  const form = useToMistake(problem);
  const save = async (against: IntakeSource) => {
    try {
      await send<IntakeSource>('PATCH', `/intake/sources/${first.name}`, patchOf(draft, against));
      await afterSaving(draft);
      toast(`${first.name} was changed.`);
      onClose();
    } catch (error) {
      setProblem(error);
      const isTold = error instanceof ApiError && error.code === 'ERR_CONFLICT';
      setTheirs(isTold ? await get<IntakeSource>(`/intake/sources/${first.name}`) : undefined);
    }
  };
  const take = (now: IntakeSource) => {
    setSeen(now);
    setDraft({ ...draftOf(now), secret: draft.secret, values: draft.values });
    setTheirs(undefined);
    setProblem(undefined);
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    await save(seen);
  };
  return (
    <form ref={form} onSubmit={(event) => void submit(event)}>
      <div className="space-y-3 p-4">
        <SourceFields
          key={seen.version}
          draft={draft}
          kinds={kinds}
          editing
          mistakes={mistakesOf(problem)}
          onChange={setDraft}
        />
        {problem !== undefined && <Problem error={problem} />}
        {theirs !== undefined && (
          <section aria-label="Changed meanwhile" className="space-y-2 rounded-md border border-warn/50 p-3">
            {changedIn(seen, theirs).map(([path, value]) => (
              <p key={path}>
                <span className="font-medium">{path}</span> is now{' '}
                <bdi className="break-words whitespace-pre-wrap">{visible(shown(value))}</bdi>
              </p>
            ))}
            <div className="flex gap-2">
              <Button onClick={() => void save(theirs)}>Save mine over it</Button>
              <Button onClick={() => take(theirs)}>Take theirs</Button>
            </div>
          </section>
        )}
      </div>
      <Foot word="Save" onClose={onClose} />
    </form>
  );
}

function Foot({ word, onClose }: { word: string; onClose: () => void }) {
  return (
    <div className="sticky bottom-0 flex justify-end gap-2 border-t border-line bg-surface px-4 py-2.5">
      <Button onClick={onClose}>Close</Button>
      <Button type="submit" look="primary">
        {word}
      </Button>
    </div>
  );
}

// The source is there by now: what cannot be kept of its secrets is told, and tried again by editing it.
async function afterSaving({ values }: SourceDraft): Promise<void> {
  for (const [name, value] of Object.entries(values)) {
    if (value === '') continue;
    await send('PUT', `/secrets/${encodeURIComponent(name)}`, { value }).catch(toastProblem);
  }
  await queries.invalidateQueries({ queryKey: ['secrets'] });
  await queries.invalidateQueries({ queryKey: ['intake'] });
}

function mistakesOf(problem: unknown): Mistake[] {
  return problem instanceof ApiError && Array.isArray(problem.details) ? (problem.details as Mistake[]) : [];
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return 'not set';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
