// A message to the agent of a task; one that has ended is opened again for it.
import { useState, type FormEvent } from 'react';
import type { Task } from '../../../protocol/task.ts';
import { send } from '../api/client.ts';
import { Button } from '../ui/button.tsx';
import { Field, TextArea } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toasts.tsx';
import { hasEnded } from './task-data.ts';

/** The form; what was typed stays until it is sent. */
export function Say({ task }: { task: Task }) {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const reopen = hasEnded(task);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      await send('POST', `/tasks/${task.id}/messages`, { text, reopen });
      setText('');
      toast(reopen ? 'The task is opened again.' : 'The message is sent.');
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={submit} className="space-y-2">
      <Field
        label={reopen ? 'Say what is left to do' : 'Message to the agent'}
        hint={
          reopen
            ? 'Opens the task again: another run goes on from its branch.'
            : 'It gets it at once, or with its next prompt. Ctrl Enter sends.'
        }
      >
        <TextArea
          rows={3}
          maxLength={20_000}
          value={text}
          onChange={({ target }) => setText(target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey))
              event.currentTarget.form?.requestSubmit();
          }}
        />
      </Field>
      {problem !== undefined && <Problem error={problem} />}
      <Button type="submit" disabled={busy || text.trim() === ''}>
        {reopen ? 'Open again' : 'Send'}
      </Button>
    </form>
  );
}
