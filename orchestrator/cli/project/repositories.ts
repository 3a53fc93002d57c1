// `autocode project repo add|list|remove`; the table is shown by `project show` too.
import { Project } from '../../../protocol/project.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { print, printJson, table } from '../output.ts';
import { repositoryAddress } from './address.ts';
import { forgeChoice, type ForgeChoiceArgs } from './forge.ts';

interface AddArgs extends GlobalArgs, ForgeChoiceArgs {
  project: string;
  repository: string | undefined;
  name: string | undefined;
  branch: string | undefined;
  allowDirty: boolean;
}

/** Adds a repository to a project. */
export async function addRepository(args: AddArgs): Promise<void> {
  const { name, repository, branch, allowDirty } = args;
  const project = await connect(args).send('POST', `${routeOf(args.project)}/repositories`, Project, {
    name,
    origin: repository === undefined ? undefined : repositoryAddress(repository),
    defaultBranch: branch,
    forge: forgeChoice(args),
    allowDirty,
  });
  if (args.json) return printJson(project);
  print(
    `Tasks of project ${project.name} that are given from now on work in all of these:`,
    '',
    drawRepositories(project),
  );
}

/** Lists the repositories of a project. */
export async function listRepositories(args: GlobalArgs & { project: string }): Promise<void> {
  const project = await connect(args).get(routeOf(args.project), Project);
  if (args.json) return printJson(project.repositories);
  print(drawRepositories(project));
}

/** Takes a repository out of a project. */
export async function removeRepository(
  args: GlobalArgs & { project: string; repository: string },
): Promise<void> {
  const route = `${routeOf(args.project)}/repositories/${encodeURIComponent(args.repository)}`;
  const project = await connect(args).send('DELETE', route, Project);
  if (args.json) return printJson(project);
  print(
    `${args.repository} is no repository of project ${project.name} any more; it has ${project.repositories.map(({ name }) => name).join(', ')}.`,
  );
}

function routeOf(project: string): string {
  return `/projects/${encodeURIComponent(project)}`;
}

/** The repositories of a project, the primary one first. */
export function drawRepositories({ repositories }: Project): string {
  return table(repositories, [
    { title: 'REPOSITORY', value: ({ name }) => name },
    { title: 'ORIGIN', value: ({ origin, hosted }) => origin + (hosted ? ' (local forge)' : '') },
    { title: 'BRANCH', value: ({ defaultBranch }) => defaultBranch },
    { title: 'FORGE', value: ({ forge }) => (forge === 'local' ? '-' : forge) },
  ]);
}
