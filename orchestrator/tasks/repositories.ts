// The repositories of a project: added, and taken out of use. Used by the API.
import { AutocodeError } from '../../protocol/errors.ts';
import { MOST_REPOSITORIES } from '../../protocol/project.ts';
import type { Project } from '../../protocol/project.ts';
import type { Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';
import { getProject, insertRepository, projectForWork, type RepositoryFound } from './projects.ts';
import { withinTransaction } from '../db/within-transaction.ts';

/** Adds a repository to a project; tasks given from then on work in it too. */
export async function addRepository(
  db: Queryable,
  nameOrId: string | number,
  found: RepositoryFound,
): Promise<Project> {
  return await withinTransaction(db, async (tx) => {
    const project = await projectForWork(tx, nameOrId);
    if (project.repositories.length >= MOST_REPOSITORIES) {
      throw new AutocodeError(
        'ERR_STATE',
        `Project ${project.name} has ${MOST_REPOSITORIES} repositories already, which is the most.`,
        { remedy: `Remove one first: \`autocode project repo remove ${project.name} NAME\`.` },
      );
    }
    await insertRepository(tx, project.id, found);
    await emit(tx, { kind: 'project.changed', project: project.id, data: { changed: ['repositories'] } });
    return await getProject(tx, project.id);
  });
}

/** Takes a repository out of a project; what was done there stays to be read. Refused while a task works or waits there. */
export async function removeRepository(
  db: Queryable,
  nameOrId: string | number,
  name: string,
): Promise<Project> {
  return await withinTransaction(db, async (tx) => {
    const { id } = await getProject(tx, nameOrId);
    await tx.query('select from project where id = $1 for no key update', [id]);
    const project = await getProject(tx, id);
    const repository = repositoryNamed(project, name);
    if (project.repositories.length === 1) {
      throw new AutocodeError('ERR_STATE', `${name} is the only repository of project ${project.name}.`, {
        remedy: `Add another first, or archive the project: \`autocode project remove ${project.name}\`.`,
      });
    }
    refuseWhileVerified(project, name);
    await refuseWhileUsed(tx, project, repository);
    await tx.query('update repository set removed_at = now() where id = $1', [repository.id]);
    await emit(tx, { kind: 'project.changed', project: id, data: { changed: ['repositories'] } });
    return await getProject(tx, id);
  });
}

/** The repository of that name; ERR_NOT_FOUND names those that there are. */
export function repositoryNamed(project: Project, name: string): Project['repositories'][number] {
  const found = project.repositories.find((repository) => repository.name === name);
  if (found !== undefined) return found;
  const known = project.repositories.map((repository) => repository.name).join(', ');
  throw new AutocodeError('ERR_NOT_FOUND', `Project ${project.name} has no repository ${name}.`, {
    remedy: `It has ${known}.`,
  });
}

// Its commands would never run again, which nobody would notice.
function refuseWhileVerified({ name, verify }: Project, repository: string): void {
  const commands = verify.filter((command) => command.in === repository).map((command) => command.name);
  if (commands.length === 0) return;
  throw new AutocodeError(
    'ERR_STATE',
    `Repository ${repository} cannot be removed from project ${name}: verify commands run in it (${commands.join(', ')}).`,
    { remedy: `Set others first: \`autocode project set ${name} --verify …\`.` },
  );
}

async function refuseWhileUsed(
  tx: Queryable,
  project: Project,
  { id, name }: { id: number; name: string },
): Promise<void> {
  const { rows } = await tx.query<{ task: number }>(
    `select t.id as task from task t join task_repository r on r.task = t.id and r.repository = $1
     where t.state in ('pending', 'queued', 'running') order by t.id`,
    [id],
  );
  if (rows.length === 0) return;
  const tasks = rows.map((row) => row.task);
  const named = tasks.slice(0, 10).join(', ') + (tasks.length > 10 ? ', …' : '');
  throw new AutocodeError(
    'ERR_STATE',
    `Repository ${name} cannot be removed from project ${project.name}: ${tasks.length} tasks that are not done work in it (${named}).`,
    { remedy: 'Wait for them, or cancel them with `autocode task cancel TASK`.', details: { tasks } },
  );
}
