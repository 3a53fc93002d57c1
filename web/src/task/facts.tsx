// What stands beside a task's story: its means, why it waits, the checks, calls and refusals of the run that is shown.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Check, Run } from '../../../protocol/run.ts';
import type { Task } from '../../../protocol/task.ts';
import { visible } from '../log/visible.ts';
import { Badge, type Tone } from '../ui/badge.tsx';
import { Told } from '../ui/told.tsx';
import { clock, count, lasted, money } from './format.ts';
import { callsQuery, explanationQuery, refusalsQuery } from './task-data.ts';

/** One part of the side. */
export function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="border-b border-line px-4 py-3">
      <h2 className="mb-1.5 font-semibold">{title}</h2>
      {children}
    </section>
  );
}

/** Means and sums. */
export function Facts({ task, runs }: { task: Task; runs: readonly Run[] }) {
  const sum = (of: (run: Run) => number) => runs.reduce((total, run) => total + of(run), 0);
  const rows: [string, ReactNode][] = [
    [
      'Project',
      <Link key="p" to={`/projects/${task.project}` as '/'} className="text-accent hover:underline">
        {task.project}
      </Link>,
    ],
    ['Works in', task.repositories.map(({ name, baseBranch }) => `${name} (${baseBranch})`).join(', ')],
    ['Agent', task.agent],
    ['Model', task.model === '' ? 'as the agent has it' : task.model],
    ['Priority', task.priority],
    [
      'Cost',
      `${money(sum(({ usage }) => usage.costMicros))} for ${count(sum(({ usage }) => usage.calls))} calls`,
    ],
    [
      'Tokens',
      `${count(sum(({ usage }) => usage.inputTokens))} in (${count(sum(({ usage }) => usage.cachedTokens))} cached), ${count(sum(({ usage }) => usage.outputTokens))} out`,
    ],
  ];
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-0.5">
      {rows.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-muted">{name}</dt>
          <dd className="min-w-0 break-words">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Why a task is not at work yet. */
export function Waits({ task }: { task: Task }) {
  const { data } = useQuery(explanationQuery(task.id));
  if (data === undefined) return null;
  return (
    <Part title={data.place === null ? 'Why it waits' : `Place ${data.place} in the queue`}>
      {data.waits.length === 0 && <p className="text-muted">{data.summary}</p>}
      <ul className="space-y-2">
        {data.waits.map((wait) => (
          <li key={wait.for}>
            <Told words={visible(wait.why)} />
            <p className="text-sm text-muted">
              <Told words={wait.remedy} />
            </p>
          </li>
        ))}
      </ul>
    </Part>
  );
}

const CHECK_TONES: Record<string, Tone> = {
  passed: 'good',
  failed: 'bad',
  'timed-out': 'bad',
  'not-run': 'neutral',
};

/** The verify commands before and after, and what the submission checks found. */
export function Checks({ run: { checks, findings } }: { run: Pick<Run, 'checks' | 'findings'> }) {
  if (checks.length === 0 && findings.length === 0) return null;
  return (
    <Part title="Checks">
      <ul className="space-y-1">
        {checks.map((check) => (
          <li key={check.name}>
            <CheckLine check={check} />
          </li>
        ))}
      </ul>
      <ul className="mt-2 space-y-1">
        {findings.map(({ rule, level, path, reason }, index) => (
          <li key={index}>
            <Badge tone={level === 'refuse' ? 'bad' : 'warn'}>{rule}</Badge>{' '}
            {path !== null && <code>{visible(path)}</code>} <bdi>{visible(reason)}</bdi>
          </li>
        ))}
      </ul>
    </Part>
  );
}

function CheckLine({ check: { name, base, head } }: { check: Check }) {
  const summary = (
    <>
      <bdi className="font-medium">{visible(name)}</bdi>{' '}
      {head === null ? (
        <Badge>not run</Badge>
      ) : (
        <Badge tone={CHECK_TONES[head.status] ?? 'neutral'}>{head.status}</Badge>
      )}{' '}
      <span className="text-sm text-muted">
        {head !== null && lasted(head.durationMs)}
        {base !== null && base.status !== 'passed' && `, before: ${base.status}`}
      </span>
    </>
  );
  if (head === null || head.output.trim() === '') return <p>{summary}</p>;
  return (
    <details open={head.status === 'failed'}>
      <summary>{summary}</summary>
      <pre
        tabIndex={0}
        className="mt-1 max-h-60 overflow-auto rounded-md bg-sunken px-2 py-1 font-mono text-sm"
      >
        {visible(head.output)}
      </pre>
    </details>
  );
}

/** Calls of models, the last first. */
export function Calls({ run }: { run: Run }) {
  const { data = [] } = useQuery(callsQuery(run));
  if (data.length === 0) return null;
  return (
    <Part title={`Model calls (${data.length})`}>
      <div className="max-h-72 overflow-auto" tabIndex={0} role="region" aria-label="Model calls">
        <table className="w-full text-sm">
          <thead className="text-left text-muted">
            <tr>
              {['At', 'Model', 'In', 'Out', 'Took', 'Cost'].map((head) => (
                <th key={head} scope="col" className="pr-3 font-normal">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {data.toReversed().map((call) => (
              <tr key={call.id} className={call.outcome === 'ok' ? '' : 'text-bad'}>
                <td className="pr-3 whitespace-nowrap">{clock(call.at)}</td>
                <td className="max-w-32 truncate pr-3" title={call.fallback ?? call.modelServed}>
                  {visible(call.modelServed)}
                  {call.outcome !== 'ok' && ` (${call.outcome} ${call.status})`}
                </td>
                <td className="pr-3">{count(call.inputTokens)}</td>
                <td className="pr-3">{count(call.outputTokens)}</td>
                <td className="pr-3 whitespace-nowrap">{lasted(call.totalMs)}</td>
                <td>{money(call.costMicros)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Part>
  );
}

/** What it asked for outside and was refused. */
export function Refusals({ run }: { run: Run }) {
  const { data = [] } = useQuery(refusalsQuery(run));
  if (data.length === 0) return null;
  return (
    <Part title={`Refused on the way out (${data.length})`}>
      <ul className="space-y-1 text-sm">
        {data.map(({ method, url, times, allowedBy, during }) => (
          <li key={`${method} ${url}`}>
            <code className="break-all">
              {method} {visible(url)}
            </code>{' '}
            <span className="text-muted">
              {times} times{during !== null && `, during ${visible(during)}`}
            </span>
            {allowedBy !== null && <p className="text-muted">It would be allowed by: {visible(allowedBy)}</p>}
          </li>
        ))}
      </ul>
    </Part>
  );
}
