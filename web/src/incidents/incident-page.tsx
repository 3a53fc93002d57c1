// One incident: its alarms, who investigates, what was found; a person resolves it or has it looked into again.
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import type { IncidentDetails } from '../../../protocol/incident.ts';
import { get } from '../api/client.ts';
import { visible } from '../log/visible.ts';
import { useUser } from '../session/session.ts';
import { clock } from '../task/format.ts';
import { Words } from '../task/words.tsx';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Page, Section } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { Cell, Head, Table } from '../ui/table.tsx';
import { WordDialog } from './word-dialog.tsx';
import { mayDecide, SAID, STATES, toneOf, wordsFor } from './words.ts';

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
  const [open, setOpen] = useState<keyof typeof SAID>();
  if (data === undefined) {
    return <Page title={`Incident ${id}`}>{error && <Problem error={error} />}</Page>;
  }
  const words = mayDecide(user, data) ? wordsFor(data) : [];
  return (
    <Page
      title={`Incident ${data.id}: ${visible(data.title)}`}
      actions={
        <>
          <Badge tone={STATES[data.state].tone}>{STATES[data.state].text}</Badge>
          {words.map((word) => (
            <Button key={word} onClick={() => setOpen(word)}>
              {SAID[word].button} …
            </Button>
          ))}
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
      {open !== undefined && (
        <WordDialog incident={data.id} {...SAID[open]} onClose={() => setOpen(undefined)} />
      )}
    </Page>
  );
}

function Facts({ incident }: { incident: IncidentDetails }) {
  const { accounts, tasks, others, reopened, firstAt, mergedFrom } = incident;
  return (
    <ul className="space-y-1">
      <Over incident={incident} />
      {mergedFrom.length > 0 && (
        <li>
          {mergedFrom.length === 1 ? 'Incident' : 'Incidents'} {mergedFrom.join(', ')}{' '}
          {mergedFrom.length === 1 ? 'was' : 'were'} merged into it
        </li>
      )}
      <li>
        Since {clock(firstAt)}, in {accounts.length === 1 ? 'the account ' : 'the accounts '}
        <bdi>{visible(accounts.join(', '))}</bdi>
        {reopened > 0 && `, opened again ${reopened === 1 ? 'once' : `${reopened} times`}`}
      </li>
      {tasks.map(({ task, project, state, dropped, superseded }) => (
        <li key={task}>
          <Link to={`/tasks/${task}` as '/'} className="text-accent underline">
            Task #{task}
          </Link>{' '}
          in <bdi>{project}</bdi> <Badge tone={toneOf(state)}>{state}</Badge>
          {dropped && <span className="text-muted"> since all was over before it began</span>}
          {superseded && <span className="text-muted"> put aside in a merge: another task investigates</span>}
        </li>
      ))}
      {others > 0 && (
        <li className="text-muted">
          {others === 1 ? 'One more task' : `${others} more tasks`} in projects that you have no role in: who
          has one in all of them decides about it
        </li>
      )}
    </ul>
  );
}

function Over({
  incident: { mergedInto, resolvedAt, resolvedBy, resolution },
}: {
  incident: IncidentDetails;
}) {
  if (resolvedAt === null) return null;
  return (
    <li>
      {mergedInto === null ? (
        'Resolved '
      ) : (
        <>
          Merged into{' '}
          <Link to={`/incidents/${mergedInto}` as '/'} className="text-accent underline">
            incident {mergedInto}
          </Link>
          , of which all below is,{' '}
        </>
      )}
      {clock(resolvedAt)} {resolvedBy === null ? 'as all of its alarms were over' : `by ${resolvedBy}`}
      {resolution !== null && (
        <>
          : <bdi>{visible(resolution)}</bdi>
        </>
      )}
    </li>
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
