// Whether a source is set up well, as the daemon finds out now; starts no work.
import { useQuery } from '@tanstack/react-query';
import type { SourceTest } from '../../../protocol/intake.ts';
import { send } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Problem } from '../ui/problem.tsx';

/** What it found, one thing a line. */
export function Outcome({ source }: { source: string }) {
  const { data, error, isFetching } = useQuery({
    queryKey: ['source-test', source],
    queryFn: async () => await send<SourceTest>('POST', `/intake/sources/${source}/test`),
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
  return (
    <>
      {isFetching && <p className="text-muted">Looking. It starts no work.</p>}
      {error && <Problem error={error} />}
      {data?.checks.length === 0 && <p className="text-muted">There is nothing that could be looked at.</p>}
      <ul className="space-y-1.5">
        {data?.checks.map(({ name, ok, detail }) => (
          <li key={name}>
            <Badge tone={ok ? 'good' : 'bad'}>{ok ? 'good' : 'not good'}</Badge>{' '}
            <bdi className="font-medium">{name}</bdi>
            <span className="block break-words text-muted">
              <bdi>{visible(detail)}</bdi>
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

/** The same as a dialog. */
export function TestDialog({ source, onClose }: { source: string; onClose: () => void }) {
  return (
    <Dialog title={`Test of ${source}`} onClose={onClose}>
      <div className="space-y-3 p-4">
        <Outcome source={source} />
        <div className="flex justify-end">
          <Button onClick={onClose}>Close</Button>
        </div>
      </div>
    </Dialog>
  );
}
