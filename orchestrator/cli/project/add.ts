// `autocode project add`. The demo registers its repositories by the same function.
import { AutocodeError } from '../../../protocol/errors.ts';
import { Project } from '../../../protocol/project.ts';
import { connect, type Client } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { print, printJson } from '../output.ts';
import { projectName, repositoryOption } from './address.ts';
import { settingsOf, type SettingArgs } from './settings.ts';
import { drawProject } from './show.ts';

interface Args extends GlobalArgs, SettingArgs {
  repository: string | undefined;
  repo: string[] | undefined;
  name: string | undefined;
  allowDirty: boolean;
}

/** Registers repositories as a project. */
export async function addProject(args: Args): Promise<void> {
  const { name, repository, repo = [], allowDirty } = args;
  const given = [...(repository === undefined ? [] : [repository]), ...repo].map(repositoryOption);
  const [first] = given;
  if (name === undefined && first === undefined) {
    throw new AutocodeError('ERR_INVALID_INPUT', 'Neither a repository nor a name was given.', {
      remedy: 'Give the path or URL of a repository; or --name for a new one on the local forge.',
    });
  }
  const project = await createProject(connect(args), {
    ...settingsOf(args),
    name: name ?? projectName(first?.origin ?? ''),
    repositories: first === undefined ? undefined : given.map((each) => ({ ...each, allowDirty })),
  });
  if (args.json) return printJson(project);
  print(`Project ${project.name} is registered.`, '', drawProject(project), '', nextStep(project));
}

/** Registers a project; fields that are undefined are left to the API. */
export async function createProject(client: Client, input: Record<string, unknown>): Promise<Project> {
  return await client.send('POST', '/projects', Project, input);
}

function nextStep(project: Project): string {
  if (project.isolation === 'directory' && !project.trusted)
    return `No run is started without a sandbox: trust the project with the rights of the worker (\`autocode project set ${project.name} --trusted\`), or give it one (\`--isolation bubblewrap\`).`;
  return `Give it a task: autocode task add "…" --project ${project.name}`;
}
