// Projects: a repository, how its work is verified, which agent does it, within which limits.
import { z } from 'zod';
import { Name, Timestamp } from './ids.ts';
import { AfterChange, MOST_QUIET_HOURS, QuietHours } from './order-of-work.ts';
import { Labels, PlacementChoice } from './placement.ts';
import { SubmissionChecks } from './submission.ts';
import { text } from './text.ts';

export const VerifyCommand = z
  .object({
    name: text().min(1).max(80).meta({ description: 'Shown in the change, as in `test`.' }),
    command: text()
      .min(1)
      .max(10_000)
      .meta({ description: 'A shell command, run at the root of the work tree; exit code 0 passes.' }),
    in: Name.optional().meta({
      description: 'The repository at whose root it runs instead, in a project with several.',
    }),
  })
  .meta({ id: 'VerifyCommand' });
export type VerifyCommand = z.infer<typeof VerifyCommand>;

export const ISOLATIONS = ['bubblewrap', 'container', 'gvisor', 'directory'] as const;
export const Isolation = z.enum(ISOLATIONS).meta({
  id: 'Isolation',
  description:
    '`bubblewrap`: a sandbox. `container`: the same by an OCI runtime. `gvisor`: with a kernel of its own. `directory`: none; the agent has the rights of the worker.',
});
export type Isolation = z.infer<typeof Isolation>;

export const TOOL_KINDS = [
  'read',
  'edit',
  'delete',
  'move',
  'search',
  'execute',
  'think',
  'fetch',
  'other',
] as const;
export const Permissions = z.partialRecord(z.enum(TOOL_KINDS), z.enum(['allow', 'deny'])).meta({
  id: 'Permissions',
  description: 'What an agent may do when it asks, by kind of tool; what is not named is allowed.',
});
export type Permissions = z.infer<typeof Permissions>;

export const RunLimits = z
  .object({
    deadlineMinutes: z
      .number()
      .positive()
      .max(7 * 24 * 60)
      .optional()
      .meta({ description: 'A run that is not done by then ends as out-of-time.' }),
    maxIterations: z
      .number()
      .int()
      .min(1)
      .max(100)
      .optional()
      .meta({ description: 'How often a failing verify goes back to the agent, the first try counted in.' }),
    maxCalls: z
      .number()
      .int()
      .min(1)
      .optional()
      .meta({ description: 'Model calls of one run; the gateway refuses more.' }),
    maxTokens: z
      .number()
      .int()
      .min(1)
      .optional()
      .meta({ description: 'Tokens of one run, cached ones counted in; the gateway refuses more.' }),
    verifyTimeoutMinutes: z
      .number()
      .positive()
      .max(24 * 60)
      .optional()
      .meta({ description: 'Longest time for one verify command.' }),
    agentTurns: z.number().int().min(1).max(10_000).optional().meta({
      description: 'Model calls in one turn of an agent that keeps such a limit itself (`claude-code-cli`).',
    }),
    agentUsd: z.number().positive().optional().meta({
      description:
        'Dollars in one turn of an agent that keeps such a limit itself (`claude-code-cli`), by its own prices: a brake beside the budgets.',
    }),
  })
  .meta({ id: 'RunLimits' });
export type RunLimits = z.infer<typeof RunLimits>;

export const FORGE_KINDS = ['gitea', 'github', 'gitlab'] as const;
export const ForgeKindName = z.enum(FORGE_KINDS).meta({
  id: 'ForgeKind',
  description:
    '`gitea`: Forgejo too. `github`: github.com, or an Enterprise Server. `gitlab`: gitlab.com, or your own.',
});
export type ForgeKindName = z.infer<typeof ForgeKindName>;

export const MERGE_METHODS = ['merge', 'squash', 'rebase'] as const;
export const MergeMethod = z.enum(MERGE_METHODS).meta({ id: 'MergeMethod' });
export type MergeMethod = z.infer<typeof MergeMethod>;

export const ForgeChoice = z
  .strictObject({
    name: Name.optional().meta({
      description: 'Name of the forge, `local` for none; made from its address when left out.',
    }),
    url: z
      .url({ protocol: /^https?$/ })
      .max(2000)
      .optional()
      .meta({ description: "Its address; that of the repository's host when left out." }),
    kind: ForgeKindName.optional().meta({
      description: 'What it is; found out by its address when left out.',
    }),
    token: text().min(1).max(8192).optional().meta({
      description:
        'Access token, or the private key (PEM) of a GitHub App, whose id is `appId`; kept in the secret store alone.',
    }),
    appId: text().min(1).max(100).optional().meta({
      description: 'Id of the GitHub App whose private key `token` is.',
    }),
    webhookSecret: text()
      .min(1)
      .max(4096)
      .optional()
      .meta({ description: 'What its webhooks are signed with; kept in the secret store alone.' }),
  })
  .meta({ id: 'ForgeChoice' });
export type ForgeChoice = z.infer<typeof ForgeChoice>;

/** Most repositories of a project. */
export const MOST_REPOSITORIES = 20;

export const RepositoryInput = z
  .strictObject({
    name: Name.optional().meta({
      description: 'Its folder in the work tree of a task; the last part of its address when left out.',
    }),
    origin: text()
      .min(1)
      .max(4096)
      .optional()
      .meta({ description: 'Path or git URL. Without one a bare repository is made on the local forge.' }),
    defaultBranch: text()
      .min(1)
      .max(255)
      .optional()
      .meta({ description: "The repository's own HEAD when left out." }),
    forge: ForgeChoice.optional().meta({
      description: 'Where its pull requests are; found by its address when left out.',
    }),
    allowDirty: z
      .boolean()
      .default(false)
      .meta({ description: 'Accept a working copy with uncommitted changes; they are not part of any run.' }),
  })
  .meta({ id: 'RepositoryCreate' });
export type RepositoryInput = z.infer<typeof RepositoryInput>;

export const Repository = z
  .object({
    id: z.number().int(),
    name: z.string(),
    origin: z.string(),
    hosted: z.boolean(),
    defaultBranch: z.string(),
    forge: z.string(),
  })
  .meta({ id: 'Repository' });
export type Repository = z.infer<typeof Repository>;

const MaxRuns = z.int().min(1).max(100_000).nullable();
const OwnQuietHours = z.array(QuietHours).max(MOST_QUIET_HOURS).nullable();

export const ProjectInput = z
  .strictObject({
    name: Name.meta({ description: 'Unique in this installation.' }),
    repository: text().min(1).max(4096).optional().meta({
      description:
        'Path or git URL, where there is only this one. Without any a bare repository is made on the local forge.',
    }),
    repositories: z
      .array(RepositoryInput)
      .min(1)
      .max(MOST_REPOSITORIES)
      .optional()
      .meta({ description: 'All its repositories, instead of `repository`; the first is the primary one.' }),
    defaultBranch: text()
      .min(1)
      .max(255)
      .optional()
      .meta({ description: "Of the primary repository; the repository's own HEAD when left out." }),
    verify: z
      .array(VerifyCommand)
      .max(50)
      .optional()
      .meta({ description: "Left out: found from the repository's files; `[]`: no checks." }),
    agent: Name.optional().meta({
      description: 'Name of a coding agent; the configured default when left out.',
    }),
    agentCommand: z
      .array(text())
      .min(1)
      .max(100)
      .optional()
      .meta({ description: 'Program and arguments, for the agent `command`.' }),
    model: text()
      .max(200)
      .optional()
      .meta({ description: 'Model asked for at the gateway, as `engine/model`.' }),
    limits: RunLimits.default({}),
    forge: ForgeChoice.optional().meta({
      description:
        "Where the pull requests of the primary repository are; found by the repository's address when left out.",
    }),
    reviewers: z.array(text().min(1).max(200)).max(50).optional().meta({
      description:
        'Asked to review each change, besides those of CODEOWNERS: login names, and teams as `organisation/team`.',
    }),
    labels: z
      .array(text().min(1).max(50))
      .max(20)
      .optional()
      .meta({ description: 'Labels of each pull request; made when missing.' }),
    draft: z
      .boolean()
      .optional()
      .meta({ description: 'Open pull requests as drafts; merging one makes it ready first.' }),
    mergeMethod: MergeMethod.nullable()
      .default(null)
      .meta({ description: "How changes are merged; null: as the forge's repository has it by default." }),
    checks: SubmissionChecks.optional().meta({
      description:
        'What is looked at before a result is pushed; a patch changes the rules and lists that it names.',
    }),
    approvePlan: z
      .boolean()
      .default(false)
      .meta({ description: 'A person approves the plan of each task before the work begins.' }),
    permissions: Permissions.default({}),
    memory: z.boolean().default(true).meta({
      description: 'Runs are given the notes that earlier runs left about a repository, and leave their own.',
    }),
    dependencyCaches: z.boolean().default(true).meta({
      description: 'Workers keep what package managers have fetched for later runs on the repository.',
    }),
    isolation: Isolation.default('bubblewrap').meta({
      description: 'What runs are confined by; `directory` needs `trusted`.',
    }),
    environment: Name.optional().meta({
      description:
        "Where the programs of its runs come from; left out: as .autocode.yaml or the configuration say; `host`: the worker's machine.",
    }),
    placement: PlacementChoice.default('any'),
    workerLabels: Labels.default([]).meta({
      description: 'Its runs are for workers with all of these labels.',
    }),
    runMemoryMib: z.int().min(1).max(1_000_000_000).nullable().default(null).meta({
      description: 'Memory that is set aside for each run; null: as the configuration says for the agent.',
    }),
    afterChange: AfterChange.default('base'),
    maxRuns: MaxRuns.default(null).meta({
      description: 'Of its runs at a time; null: as configured.',
    }),
    quietHours: OwnQuietHours.default(null).meta({
      description: 'Times in which no run of it begins; null: those of the configuration.',
    }),
    trusted: z.boolean().default(false).meta({
      description:
        'Allows runs without a sandbox (isolation `directory`): the agent then has the rights of the worker.',
    }),
    allowDirty: z
      .boolean()
      .default(false)
      .meta({ description: 'Accept a working copy with uncommitted changes; they are not part of any run.' }),
  })
  .meta({ id: 'ProjectCreate' });
export type ProjectInput = z.infer<typeof ProjectInput>;

/** Settings that a repository may bring itself, where its project does not name them. */
export const FILE_SETTINGS = [
  'verify',
  'agent',
  'model',
  'environment',
  'limits',
  'reviewers',
  'labels',
  'draft',
] as const;

/** What an editor of a project sees of it, and may change. */
const SEEN_SETTINGS = [
  'verify',
  'agent',
  'agentCommand',
  'model',
  'limits',
  'reviewers',
  'labels',
  'draft',
  'mergeMethod',
  'checks',
  'approvePlan',
  'permissions',
  'memory',
  'dependencyCaches',
  'isolation',
  'environment',
  'placement',
  'workerLabels',
  'runMemoryMib',
  'afterChange',
  'maxRuns',
  'quietHours',
  'trusted',
] as const;

// No defaults here: what a patch leaves out stays as it is (`.partial()` alone would fill them in).
export const ProjectPatch = ProjectInput.omit({
  name: true,
  repository: true,
  repositories: true,
  allowDirty: true,
})
  .partial()
  .extend({
    limits: RunLimits.optional(),
    draft: z.boolean().optional(),
    mergeMethod: MergeMethod.nullable().optional(),
    approvePlan: z.boolean().optional(),
    permissions: Permissions.optional().meta({ description: 'Changes the kinds that it names.' }),
    memory: z.boolean().optional(),
    dependencyCaches: z.boolean().optional(),
    fromFile: z
      .array(z.enum(FILE_SETTINGS))
      .optional()
      .meta({ description: 'Settings that are taken back, so that .autocode.yaml decides them.' }),
    isolation: Isolation.optional(),
    placement: PlacementChoice.optional(),
    workerLabels: Labels.optional(),
    runMemoryMib: z.int().min(1).max(1_000_000_000).nullable().optional(),
    afterChange: AfterChange.optional(),
    maxRuns: MaxRuns.optional(),
    quietHours: OwnQuietHours.optional(),
    trusted: z.boolean().optional(),
    was: z.partialRecord(z.enum(SEEN_SETTINGS), z.unknown()).optional().meta({
      description: 'What the editor saw: refused when somebody has changed that meanwhile.',
    }),
  })
  .meta({ id: 'ProjectPatch' });
export type ProjectPatch = z.infer<typeof ProjectPatch>;

export const Project = z
  .object({
    id: z.number().int(),
    name: z.string(),
    repositories: z.array(Repository).meta({ description: 'The primary one first.' }),
    verify: z.array(VerifyCommand),
    agent: z.string().nullable(),
    agentCommand: z.array(z.string()).nullable(),
    model: z.string().nullable(),
    limits: RunLimits,
    reviewers: z.array(z.string()).default([]),
    labels: z.array(z.string()).default([]),
    draft: z.boolean().default(false),
    mergeMethod: MergeMethod.nullable().default(null),
    checks: SubmissionChecks.default({ rules: {}, allow: {} }),
    approvePlan: z.boolean().default(false),
    permissions: Permissions.default({}),
    memory: z.boolean().default(true),
    dependencyCaches: z.boolean().default(true),
    isolation: Isolation.default('directory'),
    environment: z.string().nullable().default(null),
    placement: PlacementChoice.default('any'),
    workerLabels: z.array(z.string()).default([]),
    runMemoryMib: z.int().nullable().default(null),
    afterChange: AfterChange.default('base'),
    maxRuns: MaxRuns.default(null),
    quietHours: OwnQuietHours.default(null),
    trusted: z.boolean(),
    createdAt: Timestamp,
    archivedAt: Timestamp.nullable(),
  })
  .meta({ id: 'Project' });
export type Project = z.infer<typeof Project>;

export const ProjectFigures = z
  .object({
    project: z.string(),
    waiting: z.number().int().meta({ description: 'Tasks that wait for something.' }),
    queued: z.number().int(),
    running: z.number().int(),
  })
  .meta({ id: 'ProjectFigures', description: 'How much there is to do in a project.' });
export type ProjectFigures = z.infer<typeof ProjectFigures>;
