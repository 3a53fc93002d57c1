// Edits a task that does not run yet.
import type { Task } from '../../../protocol/task.ts';
import { EditDialog as Editing } from '../ui/edit-dialog.tsx';
import { draftOf, patchOf, type Draft } from './draft.ts';
import { Fields } from './fields.tsx';

/** Open as long as it is rendered. */
export function EditDialog({ id, onClose }: { id: number; onClose: () => void }) {
  return (
    <Editing<Task, Draft>
      title={`Edit task ${id}`}
      address={`/tasks/${id}`}
      draftOf={draftOf}
      patchOf={patchOf}
      fields={({ draft, problem, onChange }) => (
        <Fields draft={draft} editing problem={problem} onChange={onChange} />
      )}
      stale={[['task', id]]}
      saved={`Task ${id} was changed.`}
      onClose={onClose}
    />
  );
}
