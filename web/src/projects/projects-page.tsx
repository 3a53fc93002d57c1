// All projects: where each comes from, who works on it, how much there is to do, what it costs. A new one. Below them the forges.
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { Project, ProjectFigures } from '../../../protocol/project.ts';
import { visible } from '../log/visible.ts';
import { useMayInAll } from '../session/session.ts';
import { money } from '../task/format.ts';
import { Button } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { Input } from '../ui/field.tsx';
import { Page } from '../ui/page.tsx';
import { Problem } from '../ui/problem.tsx';
import { Cell, Head, Table } from '../ui/table.tsx';
import { figuresQuery, projectsQuery, spentQuery } from './data.ts';
import { Forges } from './forges.tsx';
import { NewProjectDialog } from './new-project-dialog.tsx';

/** The page at `/projects`. */
export function ProjectsPage() {
  const { text = '', new: isNew } = useSearch({ strict: false }) as { text?: string; new?: boolean };
  const navigate = useNavigate();
  const { data, error } = useQuery(projectsQuery);
  const mayAdd = useMayInAll('operator');
  const seesAll = useMayInAll('viewer');
  const view = (search: object) => void navigate({ to: '/projects', search: search as never, replace: true });
  const narrowed = text === '' ? {} : { text: String(text) };
  const shown = data?.filter((project) => isFound(project, String(text)));
  return (
    <Page
      title="Projects"
      actions={
        <>
          {(data?.length ?? 0) > 0 && (
            <Input
              type="search"
              aria-label="Words of a project"
              placeholder="Name or address"
              value={text}
              onChange={({ target }) => view(target.value === '' ? {} : { text: target.value })}
              className="w-52! max-sm:w-full!"
            />
          )}
          {mayAdd && (
            <Button look="primary" className="ml-auto" onClick={() => view({ ...narrowed, new: true })}>
              New project
            </Button>
          )}
        </>
      }
    >
      {error && <Problem error={error} />}
      {data?.length === 0 && <NoProjects mayAdd={mayAdd} />}
      {data !== undefined && data.length > 0 && shown?.length === 0 && (
        <Empty title="No project has these words" />
      )}
      {shown !== undefined && shown.length > 0 && <List projects={shown} />}
      {seesAll && <Forges />}
      {isNew === true && mayAdd && <NewProjectDialog onClose={() => view(narrowed)} />}
    </Page>
  );
}

function isFound({ name, repositories }: Project, text: string): boolean {
  const wanted = text.trim().toLowerCase();
  return [name, ...repositories.map(({ origin }) => origin)].some((each) =>
    each.toLowerCase().includes(wanted),
  );
}

function NoProjects({ mayAdd }: { mayAdd: boolean }) {
  const mayAll = useMayInAll('admin');
  return (
    <Empty title="No projects yet">
      <p>
        A project is one repository or several, with the commands that verify a result, the agent that works
        on it, and its limits. Tasks are given to projects.
      </p>
      {mayAdd && (
        <p>
          Make one with <em>New project</em>, or with <code>autocode project add PATH</code>.
        </p>
      )}
      {mayAll && (
        <p>
          <Link to="/first-run" className="text-accent hover:underline">
            First steps
          </Link>{' '}
          lead from here to a first change.
        </p>
      )}
    </Empty>
  );
}

function List({ projects }: { projects: Project[] }) {
  const all = useMayInAll('viewer');
  const { data: figures = [] } = useQuery(figuresQuery);
  const { data: spent } = useQuery({ ...spentQuery, enabled: all });
  const spentBy = new Map(spent?.rows.map(({ key, money: micros }) => [key, micros]));
  const heads = ['Name', 'Repositories', 'Forge', 'Agent', 'Model', 'To do'];
  return (
    <Table label="Projects" heads={[...heads, ...(all ? [`This month (${spent?.currency ?? '…'})`] : [])]}>
      {projects.map((project) => (
        <tr key={project.id}>
          <Head>
            <Link to={`/projects/${project.name}` as '/'} className="text-accent hover:underline">
              {project.name}
            </Link>
          </Head>
          <Cell className="max-w-96">
            <Origins project={project} />
          </Cell>
          <Cell>{forgesOf(project)}</Cell>
          <Cell>{project.agent ?? <span className="text-muted">as configured</span>}</Cell>
          <Cell>{project.model ?? <span className="text-muted">the default</span>}</Cell>
          <Cell className="whitespace-nowrap">
            <ToDo project={project.name} figures={figures.find((each) => each.project === project.name)} />
          </Cell>
          {all && <Cell>{spent === undefined ? '' : money(spentBy.get(project.name) ?? 0)}</Cell>}
        </tr>
      ))}
    </Table>
  );
}

function Origins({ project: { repositories } }: { project: Project }) {
  const [first, ...others] = repositories;
  return (
    <>
      <bdi className="block truncate" title={first?.origin}>
        {first?.hosted === true ? 'hosted here' : visible(first?.origin ?? '')}
      </bdi>
      {others.length > 0 && (
        <span className="text-sm text-muted">
          {others.length === 1 ? 'and another one' : `and ${others.length} others`}
        </span>
      )}
    </>
  );
}

function forgesOf({ repositories }: Project): string {
  const names = new Set(repositories.map(({ forge }) => forge));
  return [...names].map((name) => (name === 'local' ? 'none' : name)).join(', ');
}

function ToDo({ project, figures }: { project: string; figures: ProjectFigures | undefined }) {
  if (figures === undefined) return null;
  const { waiting, queued, running } = figures;
  const parts = Object.entries({ running, queued, waiting }).filter(([, count]) => count > 0);
  if (parts.length === 0) return <span className="text-muted">nothing</span>;
  return (
    <Link to="/" search={{ project } as never} className="text-accent hover:underline">
      {parts.map(([word, count]) => `${count} ${word}`).join(', ')}
    </Link>
  );
}
