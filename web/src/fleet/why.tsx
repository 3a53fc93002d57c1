// Why a model is as it is: what was decided about it, the newest first.
import { useQuery } from '@tanstack/react-query';
import type { ModelDecision } from '../../../protocol/local-model.ts';
import { get } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { clock } from '../task/format.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Problem } from '../ui/problem.tsx';

const MOST = 50;

/** The decisions. */
export function Why({ model, onClose }: { model: string; onClose: () => void }) {
  const { data, error } = useQuery({
    queryKey: ['models', 'why', model],
    queryFn: async ({ signal }) =>
      await get<ModelDecision[]>(`/local-models/${model}/decisions`, { limit: MOST }, signal),
  });
  return (
    <Dialog title={`Why ${model} is as it is`} onClose={onClose} width="wide">
      <div className="space-y-3 p-4">
        {error && <Problem error={error} />}
        {data?.length === 0 && (
          <p>Nothing was decided about it yet: it is loaded when it is first asked for.</p>
        )}
        <ol className="space-y-2">
          {data?.map(({ id, at, action, reason, gpus, outcome }) => (
            <li key={id}>
              <time dateTime={at} className="text-sm text-muted">
                {clock(at)}
              </time>{' '}
              <Badge tone="info">{action}</Badge>{' '}
              {gpus.length > 0 && <span className="text-sm text-muted">GPU {gpus.join(', ')}</span>}
              <span className="block break-words">{visible(reason)}</span>
              <span className="block text-sm break-words text-muted">
                {outcome === null ? 'under way' : visible(outcome)}
              </span>
            </li>
          ))}
        </ol>
        <div className="flex justify-end">
          <Button onClick={onClose}>Close</Button>
        </div>
      </div>
    </Dialog>
  );
}
