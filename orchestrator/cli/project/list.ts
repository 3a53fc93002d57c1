// `autocode project list`.
import { z } from 'zod';
import { Project } from '../../../protocol/project.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { table } from '../output.ts';
import { show } from '../redraw.ts';

/** Lists projects. */
export async function listProjects(args: GlobalArgs): Promise<void> {
  const client = connect(args);
  await show(args, () => client.get('/projects', z.array(Project)), drawProjects);
}

function drawProjects(projects: Project[]): string {
  if (projects.length === 0) return 'No projects. Register one with `autocode project add PATH`.';
  return table(projects, [
    { title: 'PROJECT', value: (project) => project.name },
    {
      title: 'REPOSITORY',
      value: ({ repositories: [first, ...others] }) =>
        (first?.hosted === true ? '(local forge)' : (first?.origin ?? '-')) +
        (others.length === 0 ? '' : ` and ${others.length} more`),
    },
    { title: 'BRANCH', value: (project) => project.repositories[0]?.defaultBranch ?? '-' },
    { title: 'VERIFY', value: (project) => project.verify.map((each) => each.name).join(', ') || '-' },
    { title: 'AGENT', value: (project) => project.agent ?? 'default' },
    {
      title: 'ISOLATION',
      value: (project) => (project.isolation === 'directory' ? 'NONE (directory)' : project.isolation),
    },
  ]);
}
