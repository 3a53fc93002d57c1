// What a person may do to a task as a whole: edit it, cancel it, or have it tried again, with other means if wanted.
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import type { Task } from '../../../protocol/task.ts';
import { get, send } from '../api/client.ts';
import { EditDialog } from '../task-form/edit-dialog.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field, Input, TextArea } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toasts.tsx';
import { hasEnded } from './task-data.ts';

/** The buttons of a task's header. */
export function Actions({ task }: { task: Task }) {
  const [open, setOpen] = useState<'cancel' | 'retry' | 'edit'>();
  const ended = hasEnded(task);
  const waits = task.state === 'pending' || task.state === 'queued';
  return (
    <>
      {waits && <Button onClick={() => setOpen('edit')}>Edit …</Button>}
      {(task.state === 'pending' || task.state === 'queued') && (
        <Link
          to="/"
          search={{ edit: task.id } as never}
          className="inline-flex min-h-7 items-center rounded-md border border-line bg-raised px-2.5 hover:border-edge"
        >
          Edit …
        </Link>
      )}
      {ended && <Button onClick={() => setOpen('retry')}>Try again …</Button>}
      {!ended && (
        <Button look="danger" onClick={() => setOpen('cancel')}>
          Cancel …
        </Button>
      )}
      {open === 'edit' && <EditDialog id={task.id} onClose={() => setOpen(undefined)} />}
      {open === 'cancel' && <Cancel task={task} onClose={() => setOpen(undefined)} />}
      {open === 'retry' && <Retry task={task} onClose={() => setOpen(undefined)} />}
    </>
  );
}

interface ActionProps {
  task: Task;
  onClose(): void;
}

function useAct(onClose: () => void) {
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const act = async (what: () => Promise<string>) => {
    setBusy(true);
    try {
      toast(await what());
      onClose();
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };
  return { problem, busy, act };
}

function Cancel({ task, onClose }: ActionProps) {
  const { problem, busy, act } = useAct(onClose);
  return (
    <Dialog title={`Cancel task ${task.id}?`} onClose={onClose}>
      <div className="space-y-3 p-4">
        <p>Its agent is stopped. What it has done stays in its run; nothing is submitted.</p>
        {problem !== undefined && <Problem error={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Let it go on</Button>
          <Button
            look="danger"
            disabled={busy}
            onClick={() =>
              void act(async () => {
                await send('POST', `/tasks/${task.id}/cancel`);
                return 'The task is cancelled.';
              })
            }
          >
            Cancel the task
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

function Retry({ task, onClose }: ActionProps) {
  const { problem, busy, act } = useAct(onClose);
  const navigate = useNavigate();
  const [agent, setAgent] = useState(task.agent);
  const [model, setModel] = useState(task.model);
  const [words, setWords] = useState('');
  const { data: models = [] } = useQuery({
    queryKey: ['models', 'names'],
    queryFn: async ({ signal }) => await get<{ name: string }[]>('/models', {}, signal),
  });
  const other = agent !== task.agent || model !== task.model;
  const again = async () => {
    if (!other) {
      await send('POST', `/tasks/${task.id}/retry`);
      if (words.trim() !== '') await send('POST', `/tasks/${task.id}/messages`, { text: words });
      return 'The task gets another run.';
    }
    const { project, title, acceptance, targetFiles, priority, kind, limits } = task;
    const body = words.trim() === '' ? task.body : `${task.body}\n\n${words}`;
    const made = await send<Task>('POST', '/tasks', {
      project,
      title,
      body,
      acceptance,
      targetFiles,
      priority,
      kind,
      limits,
      repositories: task.repositories.map(({ name }) => name),
      agent,
      ...(model === '' ? {} : { model }),
    });
    void navigate({ to: `/tasks/${made.id}` as '/' });
    return `Task ${made.id} is made.`;
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void act(again);
  };
  return (
    <Dialog title={`Try task ${task.id} again`} onClose={onClose}>
      <form onSubmit={submit} className="space-y-3 p-4">
        <Field label="What should be different" hint="Told to the agent, besides what the task says.">
          <TextArea rows={3} value={words} onChange={({ target }) => setWords(target.value)} />
        </Field>
        <div className="grid grid-cols-2 gap-3">
          <Field label="Agent">
            <Input required value={agent} onChange={({ target }) => setAgent(target.value.trim())} />
          </Field>
          <Field label="Model">
            <Input
              list="retry-models"
              value={model}
              onChange={({ target }) => setModel(target.value.trim())}
            />
          </Field>
        </div>
        <datalist id="retry-models">
          {models.map(({ name }) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        {other && <p className="text-muted">With another agent or model it becomes a task of its own.</p>}
        {problem !== undefined && <Problem error={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" look="primary" disabled={busy || agent === ''}>
            {other ? 'Make the task' : 'Try again'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
