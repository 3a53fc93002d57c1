// Stops an allocation, after it has said what becomes of what it does.
import { useState } from 'react';
import type { FleetAllocation } from '../../../protocol/fleet.ts';
import { send } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toasts.tsx';

/** The dialog. */
export function StopDialog({ allocation, onClose }: { allocation: FleetAllocation; onClose: () => void }) {
  const { id, node, job } = allocation;
  const [problem, setProblem] = useState<unknown>();
  const isDispatched = job.includes('/');
  const stop = async () => {
    try {
      await send<FleetAllocation>('DELETE', `/fleet/allocations/${id}`);
      await queries.invalidateQueries({ queryKey: ['fleet'] });
      toast(`${id.slice(0, 8)} is being stopped.`);
      onClose();
    } catch (error) {
      setProblem(error);
    }
  };
  return (
    <Dialog title={`Stop ${id.slice(0, 8)} on ${node}?`} onClose={onClose}>
      <div className="space-y-3 p-4">
        <p>
          Its runs go on.{' '}
          {isDispatched
            ? 'It was placed for one run, and is placed anew while that one still waits.'
            : 'Nomad places another worker; for fewer of them, deploy with another count.'}
        </p>
        {problem !== undefined && <Problem error={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Leave it so</Button>
          <Button look="danger" onClick={() => void stop()}>
            Stop
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
