// A first task, written already: harmless, and small enough to be over soon.
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { projectsQuery } from '../projects/data.ts';
import { EMPTY } from '../task-form/draft.ts';
import { Fields } from '../task-form/fields.tsx';
import { Preview } from '../task-form/preview.tsx';
import { useGiving } from '../task-form/use-giving.ts';
import { Button } from '../ui/button.tsx';
import { Problem } from '../ui/problem.tsx';

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
  const { draft, setDraft, problem, busy, submit } = useGiving(
    { ...EXAMPLE, project },
    (id) => void navigate({ to: `/tasks/${id}` as '/' }),
  );
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
