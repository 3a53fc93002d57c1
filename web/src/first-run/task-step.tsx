// A first task, written already: harmless, and small enough to be over soon.
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import type { Task } from '../../../protocol/task.ts';
import { send } from '../api/client.ts';
import { projectsQuery } from '../projects/data.ts';
import { EMPTY, inputOf } from '../task-form/draft.ts';
import { Fields } from '../task-form/fields.tsx';
import { Preview } from '../task-form/preview.tsx';
import { Button } from '../ui/button.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toasts.tsx';

const EXAMPLE = {
  ...EMPTY,
  title: 'Describe the repository in OVERVIEW.md',
  body: 'Read the repository and write OVERVIEW.md at its top: what it is, how its parts are laid out, how it is built and tested. Half a page, in plain words. Change no other file.',
  acceptance: 'OVERVIEW.md is there\nNo other file is changed',
};

/** The step. */
export function TaskStep() {
  const { data: projects } = useQuery(projectsQuery);
  if (projects === undefined) return null;
  if (projects.length === 0) return <p>Tasks are given to projects, and there is none yet.</p>;
  return <TaskForm project={projects[0]!.name} />;
}

function TaskForm({ project }: { project: string }) {
  const navigate = useNavigate();
  const [draft, setDraft] = useState({ ...EXAMPLE, project });
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
      void navigate({ to: `/tasks/${id}` as '/' });
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)} className="space-y-4">
      <div className="grid gap-4 lg:grid-cols-[minmax(0,1fr)_16rem]">
        <Fields draft={draft} editing={false} problem={problem} onChange={setDraft} />
        <div>
          <Preview draft={draft} />
        </div>
      </div>
      {problem !== undefined && <Problem error={problem} />}
      <Button type="submit" look="primary" disabled={busy}>
        Give the task
      </Button>
    </form>
  );
}
