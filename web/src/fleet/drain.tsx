// The drain of the whole appliance: whether runs begin, and the word that stops or lets them.
import { queryOptions, useQuery } from '@tanstack/react-query';
import type { Drain } from '../../../protocol/scheduling.ts';
import { act } from '../api/act.ts';
import { get, send } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { useMayInAll } from '../session/session.ts';
import { clock } from '../task/format.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Problem } from '../ui/problem.tsx';

const LOOK_MS = 10_000;

// The drain, with the runs that are active.
const drainQuery = queryOptions({
  queryKey: ['drain'],
  queryFn: async ({ signal }) => await get<Drain>('/drain', {}, signal),
  refetchInterval: LOOK_MS,
});

const STATES = {
  off: { tone: 'good', text: 'runs begin' },
  draining: { tone: 'warn', text: 'no run begins' },
  drained: { tone: 'warn', text: 'no run begins, and none is active' },
} as const;

/** A line about it, with its button. */
export function DrainPart() {
  const { data, error } = useQuery(drainQuery);
  const mayChange = useMayInAll('admin');
  if (error) return <Problem error={error} />;
  if (data === undefined) return null;
  const { tone, text } = STATES[data.state];
  const begin = async () =>
    await act(
      'drain',
      async () => await send<Drain>('PUT', '/drain', {}),
      ({ runs }) => `No run begins any more; ${runs.length} go on to their end.`,
    );
  const end = async () =>
    await act(
      'drain',
      async () => await send<Drain>('DELETE', '/drain'),
      ({ flagged }) => (flagged ? 'The flag file still asks for it.' : 'Runs begin again.'),
    );
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-2 rounded-lg border border-line bg-surface px-3 py-2">
      <Badge tone={tone}>{text}</Badge>
      <p className="min-w-56 flex-1">
        {data.runs.length} active, {data.waiting > 10_000 ? 'more than 10000' : data.waiting} waiting
        {data.begunAt !== null && data.state !== 'off' && (
          <span className="text-muted">
            ; drained since {clock(data.begunAt)}
            {data.deadline !== null && `, until ${clock(data.deadline)}`}
          </span>
        )}
        {data.reason !== null && (
          <span className="text-muted">
            : <bdi>{visible(data.reason)}</bdi>
          </span>
        )}
        {data.trouble !== null && (
          <span className="block text-bad">
            <bdi>{visible(data.trouble)}</bdi>
          </span>
        )}
      </p>
      {mayChange && data.state === 'off' && <Button onClick={() => void begin()}>Let no run begin</Button>}
      {mayChange && data.state !== 'off' && (
        <Button look="primary" onClick={() => void end()}>
          Let runs begin
        </Button>
      )}
    </div>
  );
}
