// `autocode project set`.
import { AutocodeError } from '../../../protocol/errors.ts';
import { Project } from '../../../protocol/project.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { print, printJson } from '../output.ts';
import { settingsOf, type SettingArgs } from './settings.ts';
import { drawProject } from './show.ts';

/** Changes what was named of a project. */
export async function setProject(
  args: GlobalArgs & SettingArgs & { project: string; fromFile: string[] | undefined },
): Promise<void> {
  const route = `/projects/${encodeURIComponent(args.project)}`;
  const now = args.allow === undefined ? undefined : (await connect(args).get(route, Project)).checks;
  const patch = { ...settingsOf(args, now), fromFile: args.fromFile };
  if (Object.values(patch).every((value) => value === undefined)) {
    throw new AutocodeError('ERR_INVALID_INPUT', 'Nothing was named to change.', {
      remedy: 'See `autocode project set --help`.',
    });
  }
  const project = await connect(args).send('PATCH', route, Project, patch);
  if (args.json) return printJson(project);
  print(`Project ${project.name} is changed; tasks given from now on use it so.`, '', drawProject(project));
}
