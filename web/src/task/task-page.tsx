// A task: what caused it, what is planned and done, by which means and at what cost, up to its change.
import { useQueries, useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { Report } from '../../../protocol/report.ts';
import type { Run } from '../../../protocol/run.ts';
import type { SandboxUsage } from '../../../protocol/sandbox-usage.ts';
import type { Task } from '../../../protocol/task.ts';
import { visible } from '../log/visible.ts';
import { useMay } from '../session/session.ts';
import { Badge, type Tone } from '../ui/badge.tsx';
import { Problem } from '../ui/problem.tsx';
import { Told } from '../ui/told.tsx';
import { Actions } from './actions.tsx';
import { Calls, Checks, Facts, Part, Refusals, Waits } from './facts.tsx';
import { Feed } from './feed-view.tsx';
import { lasted } from './format.ts';
import { PlanDecision, PlanView } from './plan.tsx';
import { Say } from './say.tsx';
import {
  changeQuery,
  deliveriesQuery,
  eventsQuery,
  hasEnded,
  isActive,
  messagesQuery,
  runsQuery,
  taskQuery,
} from './task-data.ts';
import { Timeline } from './timeline-view.tsx';
import { timelineOf, toneOfRun } from './timeline.ts';
import { Words } from './words.tsx';

const TONES: Record<Task['state'], Tone> = {
  pending: 'warn',
  queued: 'neutral',
  running: 'info',
  completed: 'good',
  failed: 'bad',
  cancelled: 'neutral',
};

/** The page at `/tasks/$task`. */
export function TaskPage() {
  const { task: id } = useParams({ strict: false }) as { task: string };
  const number = /^\d{1,15}$/.test(id) ? Number(id) : 0;
  const { data: task, error } = useQuery(taskQuery(number));
  const { data: runs } = useQuery(runsQuery(number));
  if (error !== null && task === undefined) {
    return (
      <div className="p-4">
        <Problem error={error} />
      </div>
    );
  }
  if (task === undefined || runs === undefined)
    return <p className="p-4 text-muted">Asking for the task …</p>;
  return <Shown key={task.id} task={task} runs={runs} />;
}

function Shown({ task, runs }: { task: Task; runs: readonly Run[] }) {
  const { run: chosen } = useSearch({ strict: false }) as { run?: string };
  const run = runs.find(({ id }) => id === chosen) ?? runs.at(-1);
  const may = useMay('operator', task.project);
  const decides = task.planState === 'proposed' && task.pendingReason === 'approval' && task.plan !== null;
  return (
    <div className="flex min-h-full flex-col">
      <Header task={task} may={may} />
      <div className="flex flex-1 flex-col lg:flex-row">
        <div className="min-w-0 flex-1 space-y-4 p-4">
          {decides && may && <PlanDecision key={task.attempt} task={task} plan={task.plan!} />}
          <About task={task} />
          {run === undefined ? (
            <p className="text-muted">It has had no run yet.</p>
          ) : (
            <section aria-label={`Run ${run.fence}`}>
              <RunTabs task={task} runs={runs} run={run} />
              {run.reason !== null && <Words text={run.reason} />}
              {run.report !== null && <Findings report={run.report} />}
              <Feed key={run.id} run={run.id} active={isActive(run)} />
            </section>
          )}
          {may && <Say key={hasEnded(task) ? 'again' : 'now'} task={task} />}
        </div>
        <aside
          aria-label="About the task"
          className="shrink-0 border-line bg-surface max-lg:border-t lg:w-96 lg:border-l"
        >
          <Part title="Means">
            <Facts task={task} runs={runs} />
          </Part>
          {(task.state === 'pending' || task.state === 'queued') && <Waits task={task} />}
          {run?.plan != null && (
            <Part title="Plan">
              <PlanView plan={run.plan} was={task.plan} />
            </Part>
          )}
          {run !== undefined && (
            <>
              <Checks run={run} />
              <Calls run={run} />
              <Refusals run={run} />
            </>
          )}
          <Part title="Timeline">
            <Story task={task} runs={runs} />
          </Part>
        </aside>
      </div>
    </div>
  );
}

const SECTIONS: [keyof Report, string][] = [
  ['whatHappened', 'What happened'],
  ['evidence', 'Evidence'],
  ['suspectedChange', 'Suspected change'],
  ['proposedAction', 'Proposed action'],
];

function Findings({ report }: { report: Report }) {
  return (
    <section aria-label="Report" className="my-3 space-y-2 rounded-md border border-line bg-surface p-3">
      {SECTIONS.map(([key, title]) => (
        <div key={key}>
          <h2 className="font-semibold">{title}</h2>
          <Words text={report[key]} />
        </div>
      ))}
    </section>
  );
}

function Header({ task, may }: { task: Task; may: boolean }) {
  return (
    <header className="border-b border-line bg-surface px-4 py-3">
      <div className="flex flex-wrap items-center gap-2">
        <h1 className="min-w-0 flex-1 text-xl font-semibold break-words">
          <span className="text-muted">#{task.id}</span> <bdi>{visible(task.title)}</bdi>
        </h1>
        {may && <Actions task={task} />}
      </div>
      <p className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-1 text-muted">
        <Badge tone={TONES[task.state]}>
          {task.state}
          {task.pendingReason !== null && `: ${task.pendingReason}`}
        </Badge>
        {task.reason !== null && (
          <span className="min-w-0 break-words">
            <Told words={visible(task.reason)} />
          </span>
        )}
        {task.source !== null && (
          <a
            href={task.source.url}
            rel="noreferrer noopener"
            target="_blank"
            className="text-accent hover:underline"
          >
            Issue {task.source.number}
          </a>
        )}
        {task.changes.map((change) => (
          <Link key={change} to={`/changes/${change}` as '/'} className="text-accent hover:underline">
            Change {change}
          </Link>
        ))}
      </p>
    </header>
  );
}

function About({ task }: { task: Task }) {
  if (task.body === '' && task.acceptance.length === 0) return null;
  return (
    <details open={task.attempt === 0} className="rounded-md border border-line bg-surface px-3 py-2">
      <summary className="font-medium">What is asked for</summary>
      <div className="mt-2 space-y-2">
        <Words text={task.body} />
        {task.acceptance.length > 0 && (
          <ul className="list-disc space-y-0.5 pl-5" aria-label="Acceptance criteria">
            {task.acceptance.map((criterion) => (
              <li key={criterion}>
                <bdi>{visible(criterion)}</bdi>
              </li>
            ))}
          </ul>
        )}
      </div>
    </details>
  );
}

function RunTabs({ task, runs, run }: { task: Task; runs: readonly Run[]; run: Run }) {
  return (
    <div className="mb-2 flex flex-wrap items-center gap-2">
      <nav aria-label="Runs" className="flex flex-wrap gap-1">
        {runs.map((each) => (
          <Link
            key={each.id}
            to={`/tasks/${task.id}` as '/'}
            search={{ run: each.id } as never}
            className="rounded-md border border-line px-2 py-0.5 hover:border-edge aria-[current=page]:border-accent aria-[current=page]:text-accent"
            {...(each.id === run.id
              ? { 'aria-current': 'page' as const }
              : { 'aria-current': false as const })}
          >
            Run {each.fence} <Badge tone={toneOfRun(each)}>{each.state}</Badge>
          </Link>
        ))}
      </nav>
      <Link to={`/runs/${run.id}/log` as '/'} className="text-accent hover:underline">
        Whole log
      </Link>
      <span className="text-sm text-muted">
        {run.worker}, {run.agent}
        {run.agentVersion !== null && ` ${run.agentVersion}`}, {run.isolation}
        {run.sandboxUsage !== null && `, ${useWords(run, run.sandboxUsage)}`}
      </span>
    </div>
  );
}

// As of now while it is at work, in all when it has ended.
function useWords({ leaseUntil }: Run, { memoryMib, peakMib, cores, cpuSeconds }: SandboxUsage): string {
  return leaseUntil === null
    ? `at most ${peakMib} MiB of memory, ${lasted(cpuSeconds * 1000)} of processor time`
    : `${memoryMib} MiB of memory (at most ${peakMib}), ${cores} cores`;
}

function Story({ task, runs }: { task: Task; runs: readonly Run[] }) {
  const { data: messages = [] } = useQuery(messagesQuery(task.id));
  const { data: events = [] } = useQuery(eventsQuery(task.id));
  const { data: deliveries = [] } = useQuery(deliveriesQuery(task.id));
  const changes = useQueries({
    queries: task.changes.map((change) => changeQuery(change)),
    combine: (found) => found.flatMap(({ data }) => (data === undefined ? [] : [data])),
  });
  const moments = useMemo(
    () => timelineOf({ task, runs, messages, events, deliveries, changes }),
    [task, runs, messages, events, deliveries, changes],
  );
  return <Timeline task={task.id} moments={moments} />;
}
