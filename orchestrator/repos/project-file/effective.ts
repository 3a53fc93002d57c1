// Which value of a setting holds, and where it comes from: the project's own settings go before those of the file, and these
// before the defaults of the installation. (A task's own go before all, when it is given.) Used by the API and at a run's start.
import type { FileLimits, ProjectFile, Setting } from '../../../protocol/project-file.ts';
import type { Project, RunLimits } from '../../../protocol/project.ts';
import type { MarkedSetting } from '../../tasks/known-file.ts';

/** What holds where neither project nor file say anything. */
export interface InstallationDefaults {
  agent: string;
  model: string | null;
  environment: string | null;
  limits: Limits;
}

type Limits = { [key in keyof FileLimits]-?: number };

type Own = Pick<
  Project,
  'repositories' | 'verify' | 'agent' | 'model' | 'environment' | 'limits' | 'reviewers' | 'labels' | 'draft'
>;

/** The settings of a project as new tasks have them. */
export function effectiveSettings(
  project: Own,
  explicit: readonly MarkedSetting[],
  file: ProjectFile | null,
  defaults: InstallationDefaults,
): Setting[] {
  const marked = (name: MarkedSetting, found: Setting['source']): Setting => {
    if (explicit.includes(name)) return setting(name, project[name], 'project');
    const wish = file?.[name];
    if (wish === undefined) return setting(name, project[name], found);
    return setting(name, wish, 'file', name === 'verify' ? leftOut(project, file?.verify) : null);
  };
  const named = (name: 'agent' | 'model' | 'environment'): Setting => {
    if (project[name] !== null) return setting(name, project[name], 'project');
    const wish = file?.[name];
    return wish === undefined ? setting(name, defaults[name], 'installation') : setting(name, wish, 'file');
  };
  return [
    marked('verify', 'found'),
    named('agent'),
    named('model'),
    named('environment'),
    ...limitSettings(project.limits, file?.limits ?? {}, defaults.limits),
    marked('reviewers', 'installation'),
    marked('labels', 'installation'),
    marked('draft', 'installation'),
    ...(file?.instructions === undefined ? [] : [setting('instructions', file.instructions, 'file')]),
    ...(file?.egress === undefined
      ? []
      : [setting('egress.hosts', file.egress.hosts, 'file', 'A wish: it grants nothing.')]),
  ];
}

function leftOut({ repositories }: Own, verify: ProjectFile['verify'] = []): string | null {
  const strays = verify.filter(
    ({ in: place }) => place !== undefined && !repositories.some(({ name }) => name === place),
  );
  if (strays.length === 0) return null;
  return `Left out, since the project has no such repository: ${strays.map((each) => `${each.name} (in ${each.in})`).join(', ')}.`;
}

function limitSettings(own: RunLimits, wished: FileLimits, most: Limits): Setting[] {
  return (Object.keys(most) as (keyof Limits)[]).map((key) => {
    const [set, wish] = [own[key], wished[key]];
    const name = `limits.${key}`;
    if (set !== undefined) return setting(name, set, 'project');
    if (wish === undefined) return setting(name, most[key], 'installation');
    if (wish <= most[key]) return setting(name, wish, 'file');
    const note = `.autocode.yaml wishes for ${wish}; a file cannot go beyond the limit of the installation.`;
    return setting(name, most[key], 'installation', note);
  });
}

/** What of the file holds for a run: where neither its project nor its task say otherwise. */
export function fileForRun(
  file: ProjectFile,
  { explicit, limits }: { explicit: readonly MarkedSetting[]; limits: RunLimits },
): Pick<ProjectFile, 'verify' | 'limits' | 'instructions'> {
  const tighter = Object.fromEntries(
    Object.entries(file.limits ?? {}).filter(([key]) => limits[key as keyof RunLimits] === undefined),
  );
  return {
    ...(file.verify === undefined || explicit.includes('verify') ? {} : { verify: file.verify }),
    limits: tighter,
    ...(file.instructions === undefined ? {} : { instructions: file.instructions }),
  };
}

function setting(
  name: string,
  value: unknown,
  source: Setting['source'],
  note: string | null = null,
): Setting {
  return { name, value, source, note };
}
