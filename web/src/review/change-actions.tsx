// Merge or close a change, after a word of confirmation.
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Change } from '../../../protocol/change.ts';
import { send } from '../api/client.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field, TextArea } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toasts.tsx';

/** The buttons of an open change. */
export function ChangeActions({ change }: { change: Change }) {
  const [open, setOpen] = useState<'merge' | 'close'>();
  return (
    <>
      <Button look="primary" onClick={() => setOpen('merge')}>
        Merge …
      </Button>
      <Button look="danger" onClick={() => setOpen('close')}>
        Close …
      </Button>
      {open !== undefined && <Confirm change={change} what={open} onClose={() => setOpen(undefined)} />}
    </>
  );
}

function Confirm({ change, what, onClose }: { change: Change; what: 'merge' | 'close'; onClose(): void }) {
  const cache = useQueryClient();
  const [comment, setComment] = useState('');
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const merge = what === 'merge';
  const act = async () => {
    setBusy(true);
    try {
      const body = merge || comment.trim() === '' ? undefined : { comment };
      const changed = await send<Change>('POST', `/changes/${change.id}/${what}`, body);
      cache.setQueryData(['change', change.id], changed);
      toast(merge ? 'The change is merged.' : 'The change is closed.');
      onClose();
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };
  return (
    <Dialog title={merge ? `Merge into ${change.baseBranch}?` : 'Close without merging?'} onClose={onClose}>
      <div className="space-y-3 p-4">
        <p>
          {merge
            ? `${change.branch} is merged by its forge, under the rules that hold there.`
            : 'The branch stays, and the task can be tried again.'}
        </p>
        {!merge && (
          <Field label="Why" hint="Said on its pull request.">
            <TextArea rows={2} value={comment} onChange={({ target }) => setComment(target.value)} />
          </Field>
        )}
        {problem !== undefined && <Problem error={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Leave it open</Button>
          <Button look={merge ? 'primary' : 'danger'} disabled={busy} onClick={() => void act()}>
            {merge ? 'Merge the change' : 'Close the change'}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
