// Removes a source, after it has said what goes with it.
import { useState } from 'react';
import type { IntakeSource } from '../../../protocol/intake.ts';
import { send } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toasts.tsx';

/** The dialog. */
export function RemoveDialog({ source, onClose }: { source: IntakeSource; onClose: () => void }) {
  const { name, secretName, waiting, lookedAt } = source;
  const [problem, setProblem] = useState<unknown>();
  const remove = async () => {
    try {
      await send('DELETE', `/intake/sources/${name}`);
      await queries.invalidateQueries({ queryKey: ['intake'] });
      toast(`${name} is removed.`);
      onClose();
    } catch (error) {
      setProblem(error);
    }
  };
  return (
    <Dialog title={`Remove ${name}?`} onClose={onClose}>
      <div className="space-y-3 p-4">
        <p>What goes with it:</p>
        <ul className="list-disc space-y-1 pl-5">
          <li>its settings, and whose word it takes</li>
          <li>
            its secret <code>{secretName}</code>: what is sent to its address is refused from then on
          </li>
          {lookedAt !== null && (
            <li>how far it has been read: one that is added anew begins with what comes then</li>
          )}
          {waiting > 0 && (
            <li>
              {waiting === 1 ? 'one delivery that waits' : `${waiting} deliveries that wait`}: nothing is made
              of
              {waiting === 1 ? ' it' : ' them'}
            </li>
          )}
        </ul>
        <p>Its tasks and the log of what came stay. To stop it for a while, pause it.</p>
        {problem !== undefined && <Problem error={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Leave it so</Button>
          <Button look="danger" onClick={() => void remove()}>
            Remove
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
