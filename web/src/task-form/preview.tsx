// What would become of the task that is being written: who does it, what it waits for, what such tasks have cost.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useDeferredValue } from 'react';
import type { TaskPreview } from '../../../protocol/task-preview.ts';
import { get } from '../api/client.ts';
import { Badge } from '../ui/badge.tsx';
import { Told } from '../ui/told.tsx';
import type { Draft } from './draft.ts';

/** Money in millionths of a currency. */
function money(micros: number, currency: string): string {
  return new Intl.NumberFormat('en', { style: 'currency', currency, maximumFractionDigits: 4 }).format(
    micros / 1e6,
  );
}

/** Follows the draft. */
export function Preview({ draft }: { draft: Draft }) {
  const { project, agent, model, priority, approvePlan } = useDeferredValue(draft);
  const plan = approvePlan === '' ? undefined : approvePlan === 'yes';
  const whole = /^-?\d{1,3}$/.test(priority) ? priority : undefined;
  const { data, error } = useQuery({
    queryKey: ['tasks', 'preview', project, agent, model, whole, plan],
    queryFn: async ({ signal }) =>
      await get<TaskPreview>(
        '/task-preview',
        { project, agent, model, priority: whole, approvePlan: plan },
        signal,
      ),
    enabled: project !== '',
    placeholderData: keepPreviousData,
    retry: false,
  });
  return (
    <section aria-label="Preview" aria-live="polite" className="rounded-md bg-sunken p-3 text-sm">
      <h3 className="text-base font-semibold">What becomes of it</h3>
      {project === '' && <p className="mt-1 text-muted">Choose a project to see.</p>}
      {error && <p className="mt-1 text-bad">{error.message}</p>}
      {data && !error && <Facts preview={data} />}
    </section>
  );
}

function Facts({ preview: { agent, model, waits, before, like, currency } }: { preview: TaskPreview }) {
  return (
    <dl className="mt-1 space-y-1 [&>dt]:mt-2">
      <dt className="text-muted">By</dt>
      <dd>
        {agent}
        {model !== '' && ` with ${model}`}
      </dd>
      <dt className="text-muted">Waits</dt>
      <dd className="space-y-1">
        {waits.length === 0 && before === 0 && 'For nothing: a worker may take it at once.'}
        {waits.map((wait) => (
          <p key={wait.for}>
            <Badge tone="warn">{wait.for}</Badge> <Told words={wait.why} />{' '}
            <span className="text-muted">
              <Told words={wait.remedy} />
            </span>
          </p>
        ))}
        {before > 0 && (
          <p>{before === 1 ? 'One queued task goes before it.' : `${before} queued tasks go before it.`}</p>
        )}
      </dd>
      <dt className="text-muted">Cost</dt>
      <dd>
        {like === null
          ? 'Nothing like it has ended in the last 90 days.'
          : `${money(like.median, currency)}, nine of ten at most ${money(like.high, currency)}${like.minutes === null ? '' : `, in ${like.minutes} min`}: the median of ${like.tasks} tasks of this ${like.of}.`}
      </dd>
    </dl>
  );
}
