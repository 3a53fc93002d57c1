// Gives a task. What was typed stays when the session or the daemon goes meanwhile.
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Problem } from '../ui/problem.tsx';
import { EMPTY } from './draft.ts';
import { Fields } from './fields.tsx';
import { Preview } from './preview.tsx';
import { useGiving } from './use-giving.ts';

/** Open as long as it is rendered. */
export function CreateDialog({ project, onClose }: { project: string | undefined; onClose: () => void }) {
  const { draft, setDraft, problem, busy, submit } = useGiving({ ...EMPTY, project: project ?? '' }, onClose);
  return (
    <Dialog title="New task" onClose={onClose} width="wide">
      <form onSubmit={submit}>
        <div className="grid gap-4 p-4 md:grid-cols-[minmax(0,1fr)_16rem]">
          <Fields draft={draft} editing={false} problem={problem} onChange={setDraft} />
          <div className="space-y-3">
            <Preview draft={draft} />
            {problem !== undefined && <Problem error={problem} />}
          </div>
        </div>
        <div className="sticky bottom-0 flex justify-end gap-2 border-t border-line bg-surface px-4 py-2.5">
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" look="primary" disabled={busy}>
            Give task
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
