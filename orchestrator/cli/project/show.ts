// `autocode project show`.
import { Project } from '../../../protocol/project.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { relativeTime } from '../format.ts';
import { block, paint, print, printJson } from '../output.ts';
import { drawChecksSetting } from './checks.ts';

/** Shows a project. */
export async function showProject(args: GlobalArgs & { project: string }): Promise<void> {
  const project = await connect(args).get(`/projects/${encodeURIComponent(args.project)}`, Project);
  if (args.json) return printJson(project);
  print(paint('bold', `Project ${project.name}`), '', drawProject(project));
}

/** A project as labels and values. */
export function drawProject(project: Project): string {
  const { repository, verify } = project;
  return block([
    ['repository', repository.origin + (repository.hosted ? ' (local forge)' : '')],
    ['branch', repository.defaultBranch],
    ['forge', repository.forge === 'local' ? null : repository.forge],
    ['reviewers', project.reviewers.join(', ')],
    ['labels', project.labels.join(', ')],
    ['pull requests', project.draft ? 'opened as drafts' : null],
    ['merged by', project.mergeMethod],
    [
      'verify',
      verify.length === 0
        ? 'nothing: results are not checked'
        : verify.map((each) => `${each.name}: ${each.command}`).join('\n'),
    ],
    ['checks', drawChecksSetting(project.checks)],
    ['agent', project.agent ?? 'the configured default'],
    ['program', project.agentCommand?.join(' ')],
    ['model', project.model ?? 'the configured default'],
    [
      'limits',
      Object.entries(project.limits)
        .map(([name, value]) => `${name} ${value}`)
        .join(', '),
    ],
    ['isolation', isolationWords(project)],
    ['created', relativeTime(project.createdAt)],
    ['archived', project.archivedAt === null ? null : relativeTime(project.archivedAt)],
  ]);
}

/** What confines the runs of a project, loud where nothing does. */
export function isolationWords({ isolation, trusted, name }: Project): string {
  if (isolation === 'bubblewrap') return 'bubblewrap: each run has a sandbox';
  return trusted
    ? 'directory, which is NONE: runs have the rights of the worker; the project is trusted with them'
    : `directory, which is NONE, and the project is not trusted: no run is started; \`autocode project set ${name} --isolation bubblewrap\``;
}
