// Takes a project out of use, having said what that means; its name is typed first.
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import type { Project } from '../../../protocol/project.ts';
import { send } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field, Input } from '../ui/field.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toasts.tsx';
import { figuresQuery } from './data.ts';

/** Open as long as it is rendered. */
export function RemoveDialog({
  project: { name, repositories },
  onClose,
}: {
  project: Project;
  onClose: () => void;
}) {
  const navigate = useNavigate();
  const { data = [] } = useQuery(figuresQuery);
  const [typed, setTyped] = useState('');
  const [problem, setProblem] = useState<unknown>();
  const figures = data.find(({ project }) => project === name);
  const live = figures === undefined ? 0 : figures.waiting + figures.queued + figures.running;
  const remove = async (event: FormEvent) => {
    event.preventDefault();
    try {
      await send<Project>('DELETE', `/projects/${name}`);
      await queries.invalidateQueries({ queryKey: ['projects'] });
      await queries.invalidateQueries({ queryKey: ['project'] });
      toast(`${name} is removed.`);
      void navigate({ to: '/projects' as '/' });
    } catch (error) {
      setProblem(error);
    }
  };
  return (
    <Dialog title={`Remove ${name}`} onClose={onClose}>
      <form onSubmit={(event) => void remove(event)} className="space-y-3 p-4">
        <ul className="list-disc space-y-1 pl-5">
          <li>It takes no tasks any more, from people or from sources, and leaves the lists.</li>
          <li>Its settings, notes and roles of people in it go out of use; its name stays taken.</li>
          <li>Its tasks, runs, changes and costs stay and can be read.</li>
          <li>
            {repositories.some(({ hosted }) => hosted)
              ? 'Its repositories stay, those that are hosted here too.'
              : 'Its repositories are not touched.'}
          </li>
        </ul>
        {live > 0 && (
          <p className="text-warn">
            {live === 1 ? 'One of its tasks is' : `${live} of its tasks are`} not done: cancel or finish them
            first.
          </p>
        )}
        <Field label={`Type ${name} to go on`}>
          <Input
            value={typed}
            autoComplete="off"
            autoFocus
            onChange={({ target }) => setTyped(target.value)}
          />
        </Field>
        {problem !== undefined && <Problem error={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" look="danger" disabled={typed !== name}>
            Remove the project
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
