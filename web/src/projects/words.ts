// The settings of a project in the words of its pages. Lists are complete by their types.
import type { AfterChange, DAYS, TaskClass } from '../../../protocol/order-of-work.ts';
import type { PlacementChoice } from '../../../protocol/placement.ts';
import type {
  ForgeKindName,
  Isolation,
  MergeMethod,
  Permissions,
  RunLimits,
} from '../../../protocol/project.ts';
import type { RuleLevel, SubmissionRule } from '../../../protocol/submission.ts';

type Day = (typeof DAYS)[number];
export type Tool = keyof Permissions;
export type Limit = keyof RunLimits;

const keysOf = <K extends string>(words: Record<K, unknown>) => Object.keys(words) as K[];

export const LIMIT_WORDS: Record<Limit, { label: string; whole: boolean }> = {
  deadlineMinutes: { label: 'Minutes of a run', whole: false },
  maxIterations: { label: 'Iterations', whole: true },
  maxCalls: { label: 'Model calls', whole: true },
  maxTokens: { label: 'Tokens', whole: true },
  verifyTimeoutMinutes: { label: 'Minutes of a check', whole: false },
  agentTurns: { label: 'Calls in a turn', whole: true },
  agentUsd: { label: 'Dollars in a turn', whole: false },
};
export const LIMITS = keysOf(LIMIT_WORDS);

export const AFTER_CHANGE_WORDS: Record<AfterChange, string> = {
  base: 'begins at the base branch all the same',
  stack: 'builds upon the open change',
  wait: 'waits until that is merged or closed',
};

export const ISOLATION_WORDS: Record<Isolation, string> = {
  bubblewrap: 'bubblewrap: a sandbox',
  container: 'container: an OCI runtime',
  gvisor: 'gvisor: a kernel of its own',
  directory: 'directory: none, the rights of the worker',
};

export const PLACEMENT_WORDS: Record<PlacementChoice, string> = {
  any: 'any',
  local: 'the daemon’s own',
  unit: 'started by hand or a service manager',
  service: 'of Nomad’s service job',
  dispatch: 'dispatched for each run',
};

export const FORGE_WORDS: Record<ForgeKindName, string> = {
  gitea: 'Gitea or Forgejo',
  github: 'GitHub',
  gitlab: 'GitLab',
};

export const MERGE_WORDS: Record<MergeMethod, string> = {
  merge: 'merge commit',
  squash: 'squash',
  rebase: 'rebase',
};

export const TOOL_WORDS: Record<Tool, string> = {
  read: 'Read files',
  edit: 'Edit files',
  delete: 'Delete files',
  move: 'Move files',
  search: 'Search',
  execute: 'Run commands',
  think: 'Think',
  fetch: 'Fetch from outside',
  other: 'Anything else',
};
export const TOOLS = keysOf(TOOL_WORDS);

export const LEVELS: RuleLevel[] = ['refuse', 'warn', 'off'];
/** What a rule is about, and what it does where the project says nothing. */
export const RULE_WORDS: Record<SubmissionRule, { label: string; level: RuleLevel }> = {
  'outside-target': { label: 'Files outside of the task’s', level: 'refuse' },
  'workflow-files': { label: 'Workflow files', level: 'refuse' },
  'project-file': { label: '.autocode.yaml', level: 'refuse' },
  codeowners: { label: 'CODEOWNERS', level: 'refuse' },
  lockfiles: { label: 'Lock files', level: 'warn' },
  size: { label: 'Size', level: 'refuse' },
  'binary-blobs': { label: 'Binary files', level: 'warn' },
  symlinks: { label: 'Symbolic links', level: 'refuse' },
  secrets: { label: 'Secrets', level: 'refuse' },
  submodules: { label: 'Submodules', level: 'refuse' },
  'file-modes': { label: 'File modes', level: 'warn' },
};
export const RULES = keysOf(RULE_WORDS);

export const DAY_WORDS: Record<Day, string> = {
  mon: 'Mon',
  tue: 'Tue',
  wed: 'Wed',
  thu: 'Thu',
  fri: 'Fri',
  sat: 'Sat',
  sun: 'Sun',
};
export const WEEK = keysOf(DAY_WORDS);

export const CLASS_WORDS: Record<TaskClass, string> = {
  incident: 'incidents',
  person: 'tasks of people',
  ticket: 'tickets',
  schedule: 'scheduled tasks',
};
export const CLASSES = keysOf(CLASS_WORDS);
