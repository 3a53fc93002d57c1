// What somebody else has changed while something was edited, and what to do about it: for a refusal with ERR_CONFLICT that tells it.
import { ApiError } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { Button } from './button.tsx';

interface ChangedMeanwhileProps {
  problem: unknown;
  onOverwrite: () => Promise<void>;
  onTake: () => Promise<void>;
}

/** Nothing for any other problem. */
export function ChangedMeanwhile({ problem, onOverwrite, onTake }: ChangedMeanwhileProps) {
  if (!(problem instanceof ApiError) || problem.code !== 'ERR_CONFLICT') return null;
  const { changed } = (problem.details ?? {}) as { changed?: Record<string, { is: unknown }> };
  if (changed === undefined) return null;
  return (
    <section aria-label="Changed meanwhile" className="space-y-2 rounded-md border border-warn/50 p-3">
      {Object.entries(changed).map(([field, { is }]) => (
        <p key={field}>
          <span className="font-medium">{field}</span> is now{' '}
          <bdi className="wrap-anywhere whitespace-pre-wrap">
            {visible(typeof is === 'string' ? is : JSON.stringify(is))}
          </bdi>
        </p>
      ))}
      <div className="flex gap-2">
        <Button onClick={() => void onOverwrite()}>Save mine over it</Button>
        <Button onClick={() => void onTake()}>Take theirs</Button>
      </div>
    </section>
  );
}
