// `autocode project remove`.
import { Project } from '../../../protocol/project.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { print, printJson } from '../output.ts';

/** Archives a project. */
export async function removeProject(args: GlobalArgs & { project: string }): Promise<void> {
  const project = await connect(args).send(
    'DELETE',
    `/projects/${encodeURIComponent(args.project)}`,
    Project,
  );
  if (args.json) return printJson(project);
  print(`Project ${project.name} is archived. Its tasks and changes can still be read.`);
}
