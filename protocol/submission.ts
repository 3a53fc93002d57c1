// What is looked at before a result is pushed to the forge: the rules, how a project sets them, and what they find.
// Used by projects and runs, by repos/checks/ and by the CLI.
import { z } from 'zod';

export const SUBMISSION_RULES = [
  'outside-target',
  'workflow-files',
  'project-file',
  'codeowners',
  'lockfiles',
  'size',
  'binary-blobs',
  'symlinks',
  'secrets',
  'submodules',
  'file-modes',
] as const;
export const SubmissionRule = z.enum(SUBMISSION_RULES).meta({ id: 'SubmissionRule' });
export type SubmissionRule = z.infer<typeof SubmissionRule>;

export const RULE_LEVELS = ['refuse', 'warn', 'off'] as const;
export const RuleLevel = z.enum(RULE_LEVELS).meta({ id: 'RuleLevel' });
export type RuleLevel = z.infer<typeof RuleLevel>;

/** What a rule does where the project says nothing. */
export const DEFAULT_LEVELS: Readonly<Record<SubmissionRule, RuleLevel>> = {
  'outside-target': 'refuse',
  'workflow-files': 'refuse',
  'project-file': 'refuse',
  codeowners: 'refuse',
  lockfiles: 'warn',
  size: 'refuse',
  'binary-blobs': 'warn',
  symlinks: 'refuse',
  secrets: 'refuse',
  submodules: 'refuse',
  'file-modes': 'warn',
};

const Globs = z.array(z.string().min(1).max(1000)).max(200);

export const SubmissionChecks = z
  .strictObject({
    rules: z.partialRecord(SubmissionRule, RuleLevel).default({}).meta({
      description:
        'By rule: `refuse` fails the run before anything is pushed, `warn` notes it in the change, `off`. Rules left out keep their own level.',
    }),
    allow: z.partialRecord(SubmissionRule, Globs).default({}).meta({
      description:
        'By rule: paths it does not apply to; `*` stays within a folder, `**` does not, a trailing `/` is all below.',
    }),
  })
  .meta({ id: 'SubmissionChecks' });
export type SubmissionChecks = z.infer<typeof SubmissionChecks>;

export const Finding = z
  .object({
    rule: SubmissionRule,
    level: z.enum(['refuse', 'warn']),
    repository: z
      .string()
      .optional()
      .meta({ description: "The file's repository, where the task works in several." }),
    path: z.string().nullable().meta({ description: 'The file it is about; null: the whole change.' }),
    reason: z
      .string()
      .meta({ description: 'What is not in order with it; never the secret that was found.' }),
    remedy: z.string().meta({ description: 'What to change.' }),
  })
  .meta({ id: 'Finding', description: 'What a submission check found in the result of a run.' });
export type Finding = z.infer<typeof Finding>;
