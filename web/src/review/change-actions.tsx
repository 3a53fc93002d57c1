// Merge a change, close it, or have its conflict resolved, after a word of confirmation.
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Change } from '../../../protocol/change.ts';
import { send } from '../api/client.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field, TextArea } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toasts.tsx';

/** The buttons of an open change: what cannot be done now has none. */
export function ChangeActions({ change }: { change: Change }) {
  const [open, setOpen] = useState<Act>();
  const mergeable = change.mergeable === 'yes' || change.mergeable === 'unknown';
  return (
    <>
      {mergeable && (
        <Button look="primary" onClick={() => setOpen('merge')}>
          Merge …
        </Button>
      )}
      {change.mergeable === 'conflicts' && change.forgeHead === null && (
        <Button look="primary" onClick={() => setOpen('resolve')}>
          Have the conflict resolved …
        </Button>
      )}
      <Button look="danger" onClick={() => setOpen('close')}>
        Close …
      </Button>
      {open !== undefined && <Confirm change={change} act={open} onClose={() => setOpen(undefined)} />}
    </>
  );
}

type Act = 'merge' | 'close' | 'resolve';

interface Words {
  title: string;
  about: string;
  /** Of what may be said with it. */
  field: { name: 'comment' | 'message'; label: string; hint: string } | null;
  no: string;
  yes: string;
  done: string;
}

function wordsOf(act: Act, { branch, baseBranch, task }: Change): Words {
  switch (act) {
    case 'merge':
      return {
        title: `Merge into ${baseBranch}?`,
        about: `${branch} is merged by its forge, under the rules that hold there.`,
        field: null,
        no: 'Leave it open',
        yes: 'Merge the change',
        done: 'The change is merged.',
      };
    case 'close':
      return {
        title: 'Close without merging?',
        about: 'The branch stays, and the task can be tried again.',
        field: { name: 'comment', label: 'Why', hint: 'Said on its pull request.' },
        no: 'Leave it open',
        yes: 'Close the change',
        done: 'The change is closed.',
      };
    case 'resolve':
      return {
        title: 'Have the conflict resolved?',
        about: `Task ${task} is opened again. Its agent begins with this change upon ${baseBranch} as it is now, and resolves what both have changed. The checks run as ever, and the change is updated.`,
        field: {
          name: 'message',
          label: 'What the agent should heed',
          hint: 'It is told what the conflict is.',
        },
        no: 'Leave it',
        yes: 'Open the task again',
        done: 'The task is open again: its agent resolves the conflict.',
      };
  }
}

function Confirm({ change, act, onClose }: { change: Change; act: Act; onClose(): void }) {
  const cache = useQueryClient();
  const [said, setSaid] = useState('');
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const { title, about, field, no, yes, done } = wordsOf(act, change);
  const go = async () => {
    setBusy(true);
    try {
      const body = field === null || said.trim() === '' ? undefined : { [field.name]: said };
      const changed = await send<Change>('POST', `/changes/${change.id}/${act}`, body);
      cache.setQueryData(['change', change.id], changed);
      toast(done);
      onClose();
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <div className="space-y-3 p-4">
        <p>{about}</p>
        {field !== null && (
          <Field label={field.label} hint={field.hint}>
            <TextArea rows={2} value={said} onChange={({ target }) => setSaid(target.value)} />
          </Field>
        )}
        {problem !== undefined && <Problem error={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{no}</Button>
          <Button look={act === 'close' ? 'danger' : 'primary'} disabled={busy} onClick={() => void go()}>
            {yes}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
