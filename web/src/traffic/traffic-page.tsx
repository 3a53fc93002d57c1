// What runs have asked for outside and what became of it, by request or summed up; the policy that decides.
import { useSearch } from '@tanstack/react-router';
import { Choices } from '../ui/choices.tsx';
import { Page } from '../ui/page.tsx';
import { FilterForm } from './filter-form.tsx';
import { searchOf, trafficFilter } from './filter.ts';
import { Policy } from './policy.tsx';
import { Report } from './report.tsx';
import { Requests } from './requests.tsx';

const VIEWS = ['requests', 'hosts', 'runs', 'projects', 'policy'] as const;

/** The page at `/traffic`. */
export function TrafficPage() {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const view = VIEWS.find((each) => each === search.view) ?? 'requests';
  const filter = trafficFilter(search);
  const choices = VIEWS.map((name) => ({ name, search: searchOf(name, filter) }));
  const by = ({ hosts: 'host', runs: 'run', projects: 'project' } as const)[view as 'hosts'];
  return (
    <Page
      title="Traffic"
      actions={<Choices label="What is shown" to="/traffic" chosen={view} choices={choices} />}
    >
      {view === 'policy' ? (
        <Policy project={filter.project} />
      ) : (
        <>
          <FilterForm view={view} filter={filter} />
          {view === 'requests' ? <Requests filter={filter} /> : <Report by={by} filter={filter} />}
        </>
      )}
    </Page>
  );
}
