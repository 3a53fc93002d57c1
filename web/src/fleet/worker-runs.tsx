// What runs on a worker: in which sandbox, since when, what it uses, with the way to its task and its log, and cancelled here.
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Worker } from '../../../protocol/worker.ts';
import { send } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { useMay } from '../session/session.ts';
import { Ago } from '../ui/ago.tsx';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Meter } from '../ui/meter.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toasts.tsx';
import { gib } from './sizes.ts';

type WorkerRun = Worker['runs'][number];

/** One a line. */
export function WorkerRuns({ runs }: { runs: WorkerRun[] }) {
  const [cancelled, setCancelled] = useState<WorkerRun>();
  return (
    <>
      <ul className="space-y-0.5">
        {runs.map((each) => (
          <Line key={each.run} run={each} onCancel={() => setCancelled(each)} />
        ))}
      </ul>
      {cancelled !== undefined && <CancelDialog run={cancelled} onClose={() => setCancelled(undefined)} />}
    </>
  );
}

const taskOf = ({ run }: WorkerRun) => run.split('-')[0]!;

function Line({ run, onCancel }: { run: WorkerRun; onCancel: () => void }) {
  const { run: id, project, state, isolation, since } = run;
  const mayCancel = useMay('operator', project);
  return (
    <li className="flex flex-wrap items-center gap-x-2 text-sm">
      <Link to={`/tasks/${taskOf(run)}` as '/'} className="text-accent underline">
        {id}
      </Link>
      <bdi className="text-muted">{project}</bdi>
      <span className="text-muted">
        {state}, <Ago at={since} />
      </span>
      <Badge>{isolation}</Badge>
      <Link to={`/runs/${id}/log` as '/'} className="text-accent hover:underline" aria-label={`Log of ${id}`}>
        log
      </Link>
      {mayCancel && (
        <Button look="quiet" aria-label={`Cancel ${id}`} onClick={onCancel}>
          Cancel
        </Button>
      )}
      <Use run={run} />
    </li>
  );
}

/** Its memory beside what is set aside for it, and its processors. */
function Use({ run: { run, memoryMib, sandboxUsage } }: { run: WorkerRun }) {
  if (sandboxUsage === null)
    return (
      <span className="basis-full text-muted">{gib(memoryMib)} set aside; what it uses is not known</span>
    );
  const { memoryMib: used, cores, processes } = sandboxUsage;
  return (
    <span className="basis-full pb-1">
      <Meter
        label={`Memory of ${run}`}
        value={used}
        most={memoryMib}
        text={`${used} of ${memoryMib} MiB set aside, ${cores} cores, ${processes} processes`}
      />
    </span>
  );
}

function CancelDialog({ run, onClose }: { run: WorkerRun; onClose: () => void }) {
  const task = taskOf(run);
  const [problem, setProblem] = useState<unknown>();
  const cancel = async () => {
    try {
      await send('POST', `/tasks/${task}/cancel`);
      await queries.invalidateQueries({ queryKey: ['workers'] });
      toast(`Task ${task} is cancelled.`);
      onClose();
    } catch (error) {
      setProblem(error);
    }
  };
  return (
    <Dialog title={`Cancel task ${task}?`} onClose={onClose}>
      <div className="space-y-3 p-4">
        <p>Its run {run.run} is stopped, and it is not tried again by itself.</p>
        {problem !== undefined && <Problem error={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Leave it so</Button>
          <Button look="danger" onClick={() => void cancel()}>
            Cancel the task
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
