// The egress policy as it is shown, set and tried: which requests of runs may leave (docs/egress.md).
import { z } from 'zod';
import { Name, Timestamp } from './ids.ts';
import { TASK_KINDS } from './task.ts';
import { text } from './text.ts';

/** Longest text of a policy, in characters. */
export const LONGEST_POLICY = 256 * 1024;

export const PolicyProblem = z
  .object({
    line: z.number().int(),
    column: z.number().int(),
    message: z.string(),
    remedy: z.string(),
  })
  .meta({ id: 'EgressPolicyProblem' });
export type PolicyProblem = z.infer<typeof PolicyProblem>;

const PolicyText = text().max(LONGEST_POLICY).meta({ description: 'Rules, one a line (docs/egress.md).' });
const Version = z.number().int().min(0).meta({ description: '0: it was never set.' });

export const EgressPolicy = z
  .object({
    project: z.string().nullable().meta({ description: 'Null: that of the installation.' }),
    version: Version,
    text: z.string().meta({ description: 'As it was set, comments counted in.' }),
    rules: z.array(z.string()).meta({ description: 'Its own rules, with those of its presets.' }),
    effective: z.array(z.string()).meta({ description: 'All that holds: everywhere, or for the project.' }),
    author: z.string().nullable(),
    at: Timestamp.nullable(),
    recording: z
      .object({ until: Timestamp, author: z.string() })
      .nullable()
      .meta({ description: 'Record mode of the project: until then all but private addresses is allowed.' }),
  })
  .meta({ id: 'EgressPolicy' });
export type EgressPolicy = z.infer<typeof EgressPolicy>;

export const EgressPolicyUpdate = z
  .strictObject({
    project: Name.optional(),
    text: PolicyText,
    expectedVersion: Version.optional().meta({
      description: 'The version that was edited; when it is another by now, nothing is changed.',
    }),
    dryRun: z.boolean().default(false).meta({ description: 'Only tell the difference.' }),
  })
  .meta({ id: 'EgressPolicyUpdate' });
export type EgressPolicyUpdate = z.infer<typeof EgressPolicyUpdate>;

export const EgressPolicyChange = z
  .object({
    project: z.string().nullable(),
    version: Version.meta({ description: 'That holds now.' }),
    added: z.array(z.string()),
    removed: z.array(z.string()),
  })
  .meta({ id: 'EgressPolicyChange' });
export type EgressPolicyChange = z.infer<typeof EgressPolicyChange>;

export const EgressRehearsalInput = z
  .strictObject({
    project: Name.optional(),
    text: PolicyText,
    since: Timestamp.meta({ description: 'With the requests of this time on.' }),
  })
  .meta({ id: 'EgressPolicyDraft' });

const asked = z.object({
  requests: z.int(),
  most: z
    .array(z.object({ what: z.string().meta({ description: 'Method and address.' }), requests: z.int() }))
    .meta({ description: 'The most frequent of them.' }),
});
export const EgressRehearsal = z
  .object({
    version: Version.meta({ description: 'Of the policy that holds, which the text is compared with.' }),
    added: z.array(z.string()),
    removed: z.array(z.string()),
    requests: z.int().meta({ description: 'How many of those that runs made were tried.' }),
    allowed: asked.meta({
      description: 'Of these, what is refused now and would be let out, the most first.',
    }),
    refused: asked.meta({ description: 'What is let out now and would be refused.' }),
    complete: z.boolean().meta({ description: 'False where there were more requests than are tried.' }),
  })
  .meta({ id: 'EgressRehearsal' });
export type EgressRehearsal = z.infer<typeof EgressRehearsal>;

export const EgressPolicyVersion = z
  .object({
    version: Version,
    author: z.string(),
    at: Timestamp,
    text: z.string(),
    added: z.array(z.string()).meta({ description: 'Rules that the version before did not have.' }),
    removed: z.array(z.string()),
  })
  .meta({ id: 'EgressPolicyVersion' });
export type EgressPolicyVersion = z.infer<typeof EgressPolicyVersion>;

export const EgressPreset = z
  .object({ name: z.string(), rules: z.array(z.string()) })
  .meta({ id: 'EgressPreset' });
export type EgressPreset = z.infer<typeof EgressPreset>;

export const EgressTest = z
  .strictObject({
    url: text().min(1).max(16_384).meta({ description: 'Of http or https.' }),
    method: z.string().min(1).max(32).default('GET'),
    project: Name.optional(),
    runKind: z.enum(TASK_KINDS).optional(),
    address: z.string().max(45).optional().meta({
      description: 'Where the name leads; a public address, or the one of a rule, is supposed when left out.',
    }),
  })
  .meta({ id: 'EgressTest' });
export type EgressTest = z.infer<typeof EgressTest>;

export const EgressVerdict = z
  .object({
    decision: z.enum(['allow', 'deny']),
    reason: z.enum(['rule', 'recording', 'no-rule', 'private-address', 'names-differ', 'malformed']),
    rule: z.string().nullable().meta({ description: 'The rule that decided.' }),
    allowedBy: z.string().nullable().meta({ description: 'The narrowest rule that would allow it.' }),
    policy: z.string().meta({ description: 'Version of all that holds, as in records of traffic.' }),
  })
  .meta({ id: 'EgressVerdict' });
export type EgressVerdict = z.infer<typeof EgressVerdict>;

export const EgressRecording = z
  .strictObject({
    project: Name,
    hours: z
      .number()
      .positive()
      .max(7 * 24)
      .nullable()
      .meta({ description: 'How long from now; null ends it.' }),
  })
  .meta({ id: 'EgressRecordMode' });
export type EgressRecording = z.infer<typeof EgressRecording>;

export const EgressProposal = z
  .object({
    rules: z.array(
      z.object({
        rule: z.string(),
        requests: z.number().int(),
        runs: z.number().int().meta({ description: 'How many runs made them.' }),
        example: z.string(),
      }),
    ),
    skipped: z
      .array(z.object({ what: z.string(), requests: z.number().int(), why: z.string() }))
      .meta({ description: 'What no rule is proposed for.' }),
  })
  .meta({ id: 'EgressProposal' });
export type EgressProposal = z.infer<typeof EgressProposal>;
