// `autocode project add`. The demo registers its repositories by the same function.
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { AutocodeError } from '../../../protocol/errors.ts';
import { Project } from '../../../protocol/project.ts';
import { connect, type Client } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { print, printJson } from '../output.ts';
import { settingsOf, type SettingArgs } from './settings.ts';
import { drawProject } from './show.ts';

interface Args extends GlobalArgs, SettingArgs {
  repository: string | undefined;
  name: string | undefined;
  allowDirty: boolean;
}

/** Registers a repository. */
export async function addProject(args: Args): Promise<void> {
  const { name, repository } = args;
  if (name === undefined && repository === undefined) {
    throw new AutocodeError('ERR_INVALID_INPUT', 'Neither a repository nor a name was given.', {
      remedy: 'Give the path or URL of a repository; or --name for a new one on the local forge.',
    });
  }
  const project = await createProject(connect(args), {
    ...settingsOf(args),
    name: name ?? projectName(repository ?? ''),
    repository: repository === undefined ? undefined : repositoryAddress(repository),
    allowDirty: args.allowDirty,
  });
  if (args.json) return printJson(project);
  print(`Project ${project.name} is registered.`, '', drawProject(project), '', nextStep(project));
}

/** Registers a project; fields that are undefined are left to the API. */
export async function createProject(client: Client, input: Record<string, unknown>): Promise<Project> {
  return await client.send('POST', '/projects', Project, input);
}

/** A path is told whole, since the daemon's working directory is another. */
export function repositoryAddress(repository: string): string {
  const isUrl =
    /^[a-z][a-z0-9+.-]*:\/\//i.test(repository) || (/^[^/]+:/.test(repository) && !existsSync(repository));
  return isUrl ? repository : resolve(repository);
}

/** A project's name from its repository's last folder. */
export function projectName(repository: string): string {
  const folder = basename(
    repositoryAddress(repository)
      .replace(/\/+$/, '')
      .replace(/\/?\.git$/, '')
      .replace(/^.*:/, ''),
  );
  const name = folder
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 63);
  if (name !== '') return name;
  throw new AutocodeError('ERR_INVALID_INPUT', `No name can be made from ${repository}.`, {
    remedy: 'Give one with --name.',
  });
}

function nextStep(project: Project): string {
  if (project.isolation === 'directory' && !project.trusted)
    return `No run is started without a sandbox: trust the project with the rights of the worker (\`autocode project set ${project.name} --trusted\`), or give it one (\`--isolation bubblewrap\`).`;
  return `Give it a task: autocode task add "…" --project ${project.name}`;
}
