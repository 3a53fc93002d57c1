// One incident: its alarms, who investigates, what was found; a person resolves it or has it looked into again.
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import type { IncidentDetails } from '../../../protocol/incident.ts';
import { get } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { may } from '../session/rights.ts';
import { useUser } from '../session/session.ts';
import { clock } from '../task/format.ts';
import { Words } from '../task/words.tsx';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Page, Section } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { Cell, Head, Table } from '../ui/table.tsx';
import { WordDialog } from './word-dialog.tsx';
import { STATES, toneOf } from './words.ts';

const LOOK_MS = 15_000;

/** The page at `/incidents/$incident`. */
export function IncidentPage() {
  const { incident: id } = useParams({ strict: false }) as { incident: string };
  const { data, error } = useQuery({
    queryKey: ['incident', id],
    queryFn: async ({ signal }) => await get<IncidentDetails>(`/incidents/${id}`, {}, signal),
    refetchInterval: LOOK_MS,
  });
  const user = useUser();
  const [open, setOpen] = useState<'resolve' | 'reopen'>();
  if (data === undefined) {
    return <Page title={`Incident ${id}`}>{error && <Problem error={error} />}</Page>;
  }
  // It is decided about as a whole: whoever may not act for a task of it may not either.
  const mayDecide =
    user !== undefined &&
    data.others === 0 &&
    data.tasks.every(({ project }) => may(user, 'operator', project));
  const word = data.state === 'resolved' ? 'reopen' : 'resolve';
  return (
    <Page
      title={`Incident ${data.id}: ${visible(data.title)}`}
      actions={
        <>
          <Badge tone={STATES[data.state].tone}>{STATES[data.state].text}</Badge>
          {mayDecide && (
            <Button onClick={() => setOpen(word)}>{word === 'reopen' ? 'Reopen …' : 'Resolve …'}</Button>
          )}
        </>
      }
    >
      {error && <Problem error={error} />}
      {data.needsPerson !== null && (
        <p className="rounded-md border border-warn/40 bg-warn/8 px-3 py-2">
          <span className="font-medium text-warn">It needs a person.</span> {visible(data.needsPerson)}
        </p>
      )}
      <Facts incident={data} />
      <Section title="Alarms">
        <Table label="Alarms" heads={['Alarm', 'Account', 'State', 'Fired', 'Since', 'Told to task']}>
          {data.alarmList.map(({ title, account, task, firing, fired, since }) => (
            <tr key={`${account} ${title} ${since}`}>
              <Head className="max-w-xl min-w-48">
                <bdi className="break-words">{visible(title)}</bdi>
              </Head>
              <Cell>
                <bdi>{visible(account)}</bdi>
              </Cell>
              <Cell>
                <Badge tone={firing ? 'bad' : 'good'}>{firing ? 'firing' : 'over'}</Badge>
              </Cell>
              <Cell>{fired === 1 ? 'once' : `${fired} times`}</Cell>
              <Cell className="whitespace-nowrap text-muted">{clock(since)}</Cell>
              <Cell>
                <Link to={`/tasks/${task}` as '/'} className="text-accent hover:underline">
                  #{task}
                </Link>
              </Cell>
            </tr>
          ))}
        </Table>
      </Section>
      <Reports incident={data} />
      {open !== undefined && <WordDialog incident={data.id} word={open} onClose={() => setOpen(undefined)} />}
    </Page>
  );
}

function Facts({ incident }: { incident: IncidentDetails }) {
  const { accounts, tasks, others, reopened, firstAt, resolvedAt, resolvedBy, resolution } = incident;
  return (
    <ul className="space-y-1">
      <li>
        Since {clock(firstAt)}, in {accounts.length === 1 ? 'the account ' : 'the accounts '}
        <bdi>{visible(accounts.join(', '))}</bdi>
        {reopened > 0 && `, opened again ${reopened === 1 ? 'once' : `${reopened} times`}`}
      </li>
      {tasks.map(({ task, project, state, dropped }) => (
        <li key={task}>
          <Link to={`/tasks/${task}` as '/'} className="text-accent underline">
            Task #{task}
          </Link>{' '}
          in <bdi>{project}</bdi> <Badge tone={toneOf(state)}>{state}</Badge>
          {dropped && <span className="text-muted"> since all was over before it began</span>}
        </li>
      ))}
      {others > 0 && (
        <li className="text-muted">
          {others === 1 ? 'One more task' : `${others} more tasks`} in projects that you have no role in: who
          has one in all of them decides about it
        </li>
      )}
      {resolvedAt !== null && (
        <li>
          Resolved {clock(resolvedAt)}{' '}
          {resolvedBy === null ? 'as all of its alarms were over' : `by ${resolvedBy}`}
          {resolution !== null && (
            <>
              : <bdi>{visible(resolution)}</bdi>
            </>
          )}
        </li>
      )}
    </ul>
  );
}

const SECTIONS = {
  whatHappened: 'What happened',
  evidence: 'Evidence',
  suspectedChange: 'Suspected change',
  proposedAction: 'Proposed action',
} as const;

function Reports({ incident: { reports } }: { incident: IncidentDetails }) {
  return (
    <Section title="What was found">
      {reports.length === 0 && <p className="text-muted">No investigation has ended with a report yet.</p>}
      {reports.map(({ task, run, at, report }) => (
        <article
          key={run}
          aria-label={`Report of run ${run}`}
          className="rounded-lg border border-line bg-surface p-4"
        >
          <p className="text-sm text-muted">
            {clock(at)}, run {run} of task {task}
          </p>
          {(Object.keys(SECTIONS) as (keyof typeof SECTIONS)[]).map((key) => (
            <div key={key} className="mt-3">
              <h3 className="font-semibold">{SECTIONS[key]}</h3>
              <Words text={report[key]} />
            </div>
          ))}
        </article>
      ))}
    </Section>
  );
}
