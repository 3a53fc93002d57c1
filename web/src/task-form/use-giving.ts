// A task that is being written, and giving it: once, however often it is sent. Used by the dialog and by the first steps.
import { useState, type FormEvent } from 'react';
import type { Task } from '../../../protocol/task.ts';
import { send } from '../api/client.ts';
import { toast } from '../ui/toasts.tsx';
import { inputOf, type Draft } from './draft.ts';

/** `onGiven` gets the task's number. */
export function useGiving(first: Draft, onGiven: (task: number) => void) {
  const [draft, setDraft] = useState(first);
  const [key] = useState(() =>
    Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join('-'),
  );
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      const { id } = await send<Task>('POST', '/tasks', inputOf(draft, key));
      toast(`Task ${id} was given.`);
      onGiven(id);
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return { draft, setDraft, problem, busy, submit };
}
