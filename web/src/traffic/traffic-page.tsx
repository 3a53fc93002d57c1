// What runs have asked for outside and what became of it, by request or summed up; the policy that decides.
import { Link, useSearch } from '@tanstack/react-router';
import { clock } from '../task/format.ts';
import { Choices } from '../ui/choices.tsx';
import { Page } from '../ui/page.tsx';
import { FilterForm } from './filter-form.tsx';
import { drawnOf, searchOf, trafficFilter, type Drawn, type TrafficFilter } from './filter.ts';
import { OverTime } from './over-time.tsx';
import { Policy } from './policy.tsx';
import { Report } from './report.tsx';
import { Requests } from './requests.tsx';

const VIEWS = ['requests', 'hosts', 'runs', 'projects', 'policy'] as const;

const BY = { hosts: 'host', runs: 'run', projects: 'project' } as const;

/** The page at `/traffic`. */
export function TrafficPage() {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const view = VIEWS.find((each) => each === search.view) ?? 'requests';
  const filter = trafficFilter(search);
  const drawn = drawnOf(search);
  const choices = VIEWS.map((name) => ({ name, search: searchOf(name, filter, drawn) }));
  const by = BY[view as keyof typeof BY] ?? 'host';
  return (
    <Page
      title="Traffic"
      actions={<Choices label="What is shown" to="/traffic" chosen={view} choices={choices} />}
    >
      {view === 'policy' ? (
        <Policy
          project={filter.project}
          allow={typeof search.allow === 'string' ? search.allow : undefined}
        />
      ) : (
        <>
          <FilterForm view={view} filter={filter} drawn={drawn} />
          <OverTime view={view} by={by} filter={filter} drawn={drawn} />
          <ChosenTime view={view} filter={filter} drawn={drawn} />
          {view === 'requests' ? <Requests filter={filter} /> : <Report by={by} filter={filter} />}
        </>
      )}
    </Page>
  );
}

interface ChosenTimeProps {
  view: string;
  filter: TrafficFilter;
  drawn: Drawn;
}

/** The time that was chosen in the plot, and the way back. */
function ChosenTime({ view, filter: { since, until, ...others }, drawn }: ChosenTimeProps) {
  if (since === undefined || until === undefined) return null;
  return (
    <p>
      From {clock(since)} to {clock(until)}.{' '}
      <Link to="/traffic" search={searchOf(view, others, drawn) as never} className="text-accent underline">
        At any time
      </Link>
    </p>
  );
}
