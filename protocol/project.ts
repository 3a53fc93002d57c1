// Projects: a repository, how its work is verified, which agent does it, within which limits.
import { z } from 'zod';
import { Name, Timestamp } from './ids.ts';
import { SubmissionChecks } from './submission.ts';
import { text } from './text.ts';

export const VerifyCommand = z
  .object({
    name: text().min(1).max(80).meta({ description: 'Shown in the change, as in `test`.' }),
    command: text()
      .min(1)
      .max(10_000)
      .meta({ description: 'A shell command, run at the root of the repository; exit code 0 passes.' }),
  })
  .meta({ id: 'VerifyCommand' });
export type VerifyCommand = z.infer<typeof VerifyCommand>;

export const ISOLATIONS = ['bubblewrap', 'directory'] as const;
export const Isolation = z.enum(ISOLATIONS).meta({
  id: 'Isolation',
  description: '`bubblewrap`: a sandbox. `directory`: none; the agent has the rights of the worker.',
});
export type Isolation = z.infer<typeof Isolation>;

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
    verifyTimeoutMinutes: z
      .number()
      .positive()
      .max(24 * 60)
      .optional()
      .meta({ description: 'Longest time for one verify command.' }),
  })
  .meta({ id: 'RunLimits' });
export type RunLimits = z.infer<typeof RunLimits>;

export const FORGE_KINDS = ['gitea', 'github', 'gitlab'] as const;
export const ForgeKindName = z.enum(FORGE_KINDS).meta({
  id: 'ForgeKind',
  description: '`gitea`: Forgejo too. `github`: github.com, or an Enterprise Server. `gitlab`: gitlab.com, or your own.',
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

export const ProjectInput = z
  .strictObject({
    name: Name.meta({ description: 'Unique in this installation.' }),
    repository: text()
      .min(1)
      .max(4096)
      .optional()
      .meta({ description: 'Path or git URL. Without one a bare repository is made on the local forge.' }),
    defaultBranch: text()
      .min(1)
      .max(255)
      .optional()
      .meta({ description: "The repository's own HEAD when left out." }),
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
      description: "Where its pull requests are; found by the repository's address when left out.",
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
      .default(false)
      .meta({ description: 'Open pull requests as drafts; merging one makes it ready first.' }),
    mergeMethod: MergeMethod.nullable()
      .default(null)
      .meta({ description: "How changes are merged; null: as the forge's repository has it by default." }),
    checks: SubmissionChecks.optional().meta({
      description:
        'What is looked at before a result is pushed; a patch changes the rules and lists that it names.',
    }),
    isolation: Isolation.default('bubblewrap').meta({
      description: 'What runs are confined by; `directory` needs `trusted`.',
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

// No defaults here: what a patch leaves out stays as it is (`.partial()` alone would fill them in).
export const ProjectPatch = ProjectInput.omit({ name: true, repository: true, allowDirty: true })
  .partial()
  .extend({
    limits: RunLimits.optional(),
    draft: z.boolean().optional(),
    mergeMethod: MergeMethod.nullable().optional(),
    isolation: Isolation.optional(),
    trusted: z.boolean().optional(),
  })
  .meta({ id: 'ProjectPatch' });
export type ProjectPatch = z.infer<typeof ProjectPatch>;

export const Project = z
  .object({
    id: z.number().int(),
    name: z.string(),
    repository: z.object({
      id: z.number().int(),
      origin: z.string(),
      hosted: z.boolean(),
      defaultBranch: z.string(),
      forge: z.string().default('local'),
    }),
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
    isolation: Isolation.default('directory'),
    trusted: z.boolean(),
    createdAt: Timestamp,
    archivedAt: Timestamp.nullable(),
  })
  .meta({ id: 'Project' });
export type Project = z.infer<typeof Project>;
