// The versions of a policy: who set which when, and what it changed.
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { EgressPolicyVersion } from '../../../protocol/egress.ts';
import { get } from '../api/client.ts';
import { clock } from '../task/format.ts';
import { Button } from '../ui/button.tsx';
import { Problem } from '../ui/problem.tsx';
import { Difference } from './policy-change.tsx';

interface PolicyHistoryProps {
  project: string | undefined;
  /** Puts a text into the editor; for those who may edit. */
  onTake: ((text: string) => void) | undefined;
}

/** Asked for when it is opened. */
export function PolicyHistory({ project, onTake }: PolicyHistoryProps) {
  const [open, setOpen] = useState(false);
  const { data, error } = useQuery({
    queryKey: ['egress', 'versions', project],
    queryFn: async ({ signal }) =>
      await get<EgressPolicyVersion[]>('/egress-policy/versions', { project }, signal),
    enabled: open,
  });
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="w-fit">Versions</summary>
      {error && <Problem error={error} />}
      {data?.length === 0 && <p className="mt-2 text-muted">It was never set.</p>}
      <ol className="mt-2 space-y-3">
        {data?.map(({ version, author, at, text, added, removed }, index) => (
          <li key={version} className="rounded-lg border border-line bg-surface p-3">
            <div className="mb-1 flex flex-wrap items-center gap-x-3">
              <span className="font-medium">Version {version}</span>
              <span className="text-muted">
                <time dateTime={at}>{clock(at)}</time>, <bdi>{author}</bdi>
              </span>
              {onTake !== undefined && index > 0 && (
                <Button look="quiet" aria-label={`Edit version ${version}`} onClick={() => onTake(text)}>
                  Put into the editor
                </Button>
              )}
            </div>
            <Difference added={added} removed={removed} />
          </li>
        ))}
      </ol>
    </details>
  );
}
