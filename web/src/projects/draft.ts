// What somebody changes of a project, and what of it the API gets.
import type { QuietHours } from '../../../protocol/order-of-work.ts';
import type { FILE_SETTINGS, Project, ProjectPatch, VerifyCommand } from '../../../protocol/project.ts';
import type { RuleLevel, SubmissionRule } from '../../../protocol/submission.ts';
import { argumentsOf } from './arguments.ts';
import { LIMITS, RULES, RULE_WORDS, TOOLS, type Limit, type Tool } from './words.ts';

type FileSetting = (typeof FILE_SETTINGS)[number];

/** As it stands in the fields: numbers and lists are text. */
export interface Draft {
  agent: string;
  agentCommand: string;
  model: string;
  verify: VerifyCommand[];
  approvePlan: boolean;
  limits: Record<Limit, string>;
  afterChange: Project['afterChange'];
  maxRuns: string;
  ownQuietHours: boolean;
  quietHours: QuietHours[];
  isolation: Project['isolation'];
  trusted: boolean;
  environment: string;
  placement: Project['placement'];
  workerLabels: string;
  runMemoryMib: string;
  permissions: Record<Tool, 'allow' | 'deny'>;
  dependencyCaches: boolean;
  reviewers: string;
  labels: string;
  draft: boolean;
  mergeMethod: string;
  rules: Record<SubmissionRule, RuleLevel>;
  allow: Record<SubmissionRule, string>;
  memory: boolean;
  /** Taken back, so that .autocode.yaml or the installation decides. */
  left: FileSetting[];
}

const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
const words = (text: string) => text.split(/[\s,]+/).filter((word) => word !== '');
const globsOf = (text: string) => text.split(/\s+/).filter((glob) => glob !== '');
const numberOrNull = (text: string) => (text.trim() === '' ? null : Number(text));
const textOrNull = (text: string) => (text.trim() === '' ? null : text.trim());
const recordOf = <K extends string, V>(keys: readonly K[], value: (key: K) => V) =>
  Object.fromEntries(keys.map((key) => [key, value(key)])) as Record<K, V>;

/** A project as a draft, to be edited. */
export function draftOf(project: Project): Draft {
  const { limits, permissions, checks } = project;
  return {
    agent: project.agent ?? '',
    agentCommand: (project.agentCommand ?? []).join('\n'),
    model: project.model ?? '',
    verify: project.verify,
    approvePlan: project.approvePlan,
    limits: recordOf(LIMITS, (limit) => String(limits[limit] ?? '')),
    afterChange: project.afterChange,
    maxRuns: String(project.maxRuns ?? ''),
    ownQuietHours: project.quietHours !== null,
    quietHours: project.quietHours ?? [],
    isolation: project.isolation,
    trusted: project.trusted,
    environment: project.environment ?? '',
    placement: project.placement,
    workerLabels: project.workerLabels.join(', '),
    runMemoryMib: String(project.runMemoryMib ?? ''),
    permissions: recordOf(TOOLS, (tool) => permissions[tool] ?? 'allow'),
    dependencyCaches: project.dependencyCaches,
    reviewers: project.reviewers.join('\n'),
    labels: project.labels.join('\n'),
    draft: project.draft,
    mergeMethod: project.mergeMethod ?? '',
    rules: recordOf(RULES, (rule) => checks.rules[rule] ?? RULE_WORDS[rule].level),
    allow: recordOf(RULES, (rule) => (checks.allow[rule] ?? []).join(' ')),
    memory: project.memory,
    left: [],
  };
}

type Seen = keyof NonNullable<ProjectPatch['was']>;

/** The values of a draft, each under the name of its setting. */
function valuesOf(draft: Draft): Record<Seen, unknown> {
  const limits = LIMITS.map((limit) => [limit, numberOrNull(draft.limits[limit])] as const);
  const allow = RULES.map((rule) => [rule, globsOf(draft.allow[rule])] as const);
  return {
    agent: textOrNull(draft.agent),
    agentCommand: argumentsOf(draft.agentCommand),
    model: textOrNull(draft.model),
    verify: draft.verify.map(({ name, command, in: place }) => ({
      name: name.trim(),
      command: command.trim(),
      ...(place === undefined ? {} : { in: place }),
    })),
    approvePlan: draft.approvePlan,
    limits: Object.fromEntries(limits.filter(([, value]) => value !== null)),
    afterChange: draft.afterChange,
    maxRuns: numberOrNull(draft.maxRuns),
    quietHours: draft.ownQuietHours ? draft.quietHours : null,
    isolation: draft.isolation,
    trusted: draft.trusted,
    environment: textOrNull(draft.environment),
    placement: draft.placement,
    workerLabels: words(draft.workerLabels),
    runMemoryMib: numberOrNull(draft.runMemoryMib),
    permissions: draft.permissions,
    dependencyCaches: draft.dependencyCaches,
    reviewers: lines(draft.reviewers),
    labels: lines(draft.labels),
    draft: draft.draft,
    mergeMethod: textOrNull(draft.mergeMethod),
    checks: { rules: draft.rules, allow: Object.fromEntries(allow) },
    memory: draft.memory,
  };
}

/** Where empty means that somebody else decides. */
const EMPTY_LEAVES: readonly Seen[] = ['agent', 'model', 'environment'];

/** What was changed of the project, with what its editor saw; undefined when nothing was. */
export function patchOf(draft: Draft, project: Project): ProjectPatch | undefined {
  const [now, seen] = [valuesOf(draft), valuesOf(draftOf(project))];
  const same = (field: Seen) => JSON.stringify(now[field]) === JSON.stringify(seen[field]);
  const left = new Set<FileSetting>(draft.left);
  const changed = (Object.keys(now) as Seen[]).filter(
    (field) => !same(field) && !left.has(field as FileSetting),
  );
  for (const field of changed) {
    if (EMPTY_LEAVES.includes(field) && now[field] === null) left.add(field as FileSetting);
  }
  const set = changed.filter((field) => !left.has(field as FileSetting) && settable(field, now[field]));
  const fields = [...new Set<Seen>([...set, ...left])];
  if (fields.length === 0) return undefined;
  return {
    ...(Object.fromEntries(
      set.map((field) => [field, sent(field, draft, draftOf(project), now)]),
    ) as ProjectPatch),
    ...(left.size === 0 ? {} : { fromFile: [...left] }),
    was: Object.fromEntries(fields.map((field) => [field, project[field]])),
  };
}

// Of tools and rules the API changes those that are named.
function sent(field: Seen, now: Draft, seen: Draft, values: Record<Seen, unknown>): unknown {
  if (field === 'permissions') return differing(now.permissions, seen.permissions);
  if (field !== 'checks') return values[field];
  const allow = Object.entries(differing(now.allow, seen.allow));
  return {
    rules: differing(now.rules, seen.rules),
    allow: Object.fromEntries(allow.map(([rule, globs]) => [rule, globsOf(globs)])),
  };
}

function differing<V>(now: Record<string, V>, seen: Record<string, V>): Record<string, V> {
  return Object.fromEntries(Object.entries(now).filter(([key, value]) => value !== seen[key]));
}

// The program of the agent `command` can be another one, never none.
const settable = (field: Seen, value: unknown) => field !== 'agentCommand' || (value as string[]).length > 0;
