// Configuration of incidents (`incidents`): which alarms belong together, and the accounts that they come from. Part of
// schema.ts; read by incidents/account-map.ts and incidents/rules.ts.
import { z } from 'zod';
import { Name } from '../../protocol/ids.ts';
import { MOST_REPOSITORIES } from '../../protocol/project.ts';

const Account = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .describe('Id of an account, as alarms name it; the name of the source for alarms that name none.');
const LONGEST_MINUTES = 30 * 24 * 60;

export const IncidentSettings = z.strictObject({
  chainMinutes: z
    .number()
    .positive()
    .max(LONGEST_MINUTES)
    .default(60)
    .describe('An alarm belongs to the incident of another one of its account that is not longer ago.'),
  settleMinutes: z
    .number()
    .min(0)
    .max(LONGEST_MINUTES)
    .default(5)
    .describe('For so long all alarms of an incident are over before it is resolved.'),
  reopenMinutes: z
    .number()
    .min(0)
    .max(LONGEST_MINUTES)
    .default(60)
    .describe('An alarm within so long after an incident was resolved opens that one again.'),
  suspectHours: z
    .number()
    .positive()
    .max(30 * 24)
    .default(24)
    .describe('Changes that were merged within so long before an alarm are named to the investigation.'),
  accounts: z
    .array(
      z.strictObject({
        account: Account,
        name: z.string().trim().min(1).max(200).optional().describe('What people call it.'),
        project: Name.optional().describe('Whose repositories are investigated.'),
        repositories: z
          .array(Name)
          .min(1)
          .max(MOST_REPOSITORIES)
          .optional()
          .describe("Those of the project's repositories; all of them when left out."),
        environment: Name.optional().describe("Environment of the runs, instead of the project's."),
      }),
    )
    .max(10_000)
    .refine(
      (accounts) => new Set(accounts.map(({ account }) => account)).size === accounts.length,
      'has an account twice',
    )
    .default([])
    .describe('Whose alarms are whose.'),
  connected: z
    .array(
      z.strictObject({
        accounts: z.array(Account).min(2).max(1000),
        reason: z.string().trim().min(1).max(500).optional().describe('Told to the investigation.'),
      }),
    )
    .max(10_000)
    .default([])
    .describe('Accounts whose alarms are one incident; what is connected with the same one is connected.'),
});

export type IncidentSettings = z.infer<typeof IncidentSettings>;
