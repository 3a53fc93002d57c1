// `autocode project show`.
import { Project, type VerifyCommand } from '../../../protocol/project.ts';
import { ProjectSettings } from '../../../protocol/project-file.ts';
import { connect } from '../client.ts';
import type { GlobalArgs } from '../command.ts';
import { relativeTime } from '../format.ts';
import { block, paint, print, printJson } from '../output.ts';
import { drawQuietHours } from './quiet-hours.ts';
import { drawRepositories } from './repositories.ts';
import { drawSources } from './sources.ts';
import { drawChecksSetting } from './checks.ts';

/** Settings that are shown with where they come from. */
const IN_SOURCES = [
  'reviewers',
  'labels',
  'pull requests',
  'verify',
  'agent',
  'model',
  'environment',
  'limits',
];

const AFTER_CHANGE: Record<Project['afterChange'], string | null> = {
  base: null,
  stack: 'tasks build upon the newest open one',
  wait: 'tasks wait until it was merged or closed',
};

const NO_COMMANDS = 'no commands of its own: what .autocode.yaml says; without one results are not checked';

/** Shows a project. */
export async function showProject(args: GlobalArgs & { project: string }): Promise<void> {
  const client = connect(args);
  const route = `/projects/${encodeURIComponent(args.project)}`;
  const project = await client.get(route, Project);
  const sources = await client.get(`${route}/settings`, ProjectSettings);
  if (args.json) return printJson({ ...project, file: sources.file, settings: sources.settings });
  print(
    paint('bold', `Project ${project.name}`),
    '',
    drawProject(project, IN_SOURCES),
    '',
    drawSources(sources),
  );
}

/** A project as labels and values, but for those that are told elsewhere. */
export function drawProject(project: Project, elsewhere: readonly string[] = []): string {
  const { repositories, verify } = project;
  const [only] = repositories.length === 1 ? repositories : [];
  const rows: [string, string | null | undefined][] = [
    ['repositories', only === undefined ? drawRepositories(project) : null],
    ['repository', only === undefined ? null : only.origin + (only.hosted ? ' (local forge)' : '')],
    ['branch', only?.defaultBranch],
    ['forge', only === undefined || only.forge === 'local' ? null : only.forge],
    ['reviewers', project.reviewers.join(', ')],
    ['labels', project.labels.join(', ')],
    ['pull requests', project.draft ? 'opened as drafts' : null],
    ['merged by', project.mergeMethod],
    ['verify', verify.length === 0 ? NO_COMMANDS : verify.map(verifyWords).join('\n')],
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
    ['plans', project.approvePlan ? 'wait for approval' : null],
    [
      'permits',
      Object.entries(project.permissions)
        .map((each) => each.join('='))
        .join(', '),
    ],
    ['notes', project.memory ? null : 'none: runs are given none and leave none'],
    ['dependencies', project.dependencyCaches ? null : 'fetched by each run anew: workers keep no caches'],
    ['isolation', isolationWords(project)],
    ['environment', project.environment],
    ['placement', placementWords(project)],
    ['runs at a time', project.maxRuns === null ? null : String(project.maxRuns)],
    ['after a change', AFTER_CHANGE[project.afterChange]],
    ['quiet hours', drawQuietHours(project.quietHours)],
    ['created', relativeTime(project.createdAt)],
    ['archived', project.archivedAt === null ? null : relativeTime(project.archivedAt)],
  ];
  return block(rows.filter(([label]) => !elsewhere.includes(label)));
}

function verifyWords({ name, command, in: place }: VerifyCommand): string {
  return `${name}: ${command}${place === undefined ? '' : ` (in ${place})`}`;
}

function placementWords({ placement, workerLabels, runMemoryMib }: Project): string | null {
  const words = [
    ...(placement === 'any' ? [] : [`${placement} workers only`]),
    ...(workerLabels.length === 0 ? [] : [`workers with ${workerLabels.join(', ')}`]),
    ...(runMemoryMib === null ? [] : [`${runMemoryMib} MiB for each run`]),
  ];
  return words.length === 0 ? null : words.join('; ');
}

/** What confines the runs of a project, loud where nothing does. */
export function isolationWords({ isolation, trusted, name }: Project): string {
  if (isolation !== 'directory') return `${isolation}: each run has a sandbox`;
  return trusted
    ? 'directory, which is NONE: runs have the rights of the worker; the project is trusted with them'
    : `directory, which is NONE, and the project is not trusted: no run is started; \`autocode project set ${name} --isolation bubblewrap\``;
}
