// The projects that there are, and a first or another one.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { projectsQuery } from '../projects/data.ts';
import { NewProjectForm } from '../projects/new-project-form.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toasts.tsx';

/** The step. */
export function ProjectStep() {
  const { data: projects, error } = useQuery(projectsQuery);
  const [made, setMade] = useState(0);
  if (projects === undefined) return error && <Problem error={error} />;
  return (
    <div className="space-y-4">
      {projects.length > 0 && (
        <p>
          There {projects.length === 1 ? 'is' : 'are'}{' '}
          {projects.map(({ name }, at) => (
            <span key={name}>
              {at > 0 && ', '}
              <Link to={`/projects/${name}` as '/'} className="text-accent hover:underline">
                {name}
              </Link>
            </span>
          ))}
          .
        </p>
      )}
      <details open={projects.length === 0} key={made}>
        <summary className="py-1 font-medium">
          {projects.length === 0 ? 'A project' : 'Another project'}
        </summary>
        <div className="mt-2">
          <NewProjectForm
            onMade={({ name }) => {
              toast(`Project ${name} was made.`);
              setMade(made + 1);
            }}
          />
        </div>
      </details>
    </div>
  );
}
