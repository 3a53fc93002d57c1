// What a source of a forge is told, and how facts of a forge are named and kept. Used by sources/forge.ts and forge-poll.ts.
import { z } from 'zod';
import type { ForgeFact } from '../repos/forge/facts.ts';
import type { RawDelivery } from './source.ts';

/** The event of a delivery that we made ourselves of what a forge answered. */
export const FACT = 'fact';

export const ForgeSourceSettings = z.strictObject({
  forge: z.string().min(1).max(63).meta({ description: 'As projects name it, as `git.example.com`.' }),
  repositories: z
    .array(z.string().min(1).max(500))
    .max(1000)
    .optional()
    .meta({ description: 'As `acme/shop`; all that projects have at the forge when left out.' }),
  labels: z
    .array(z.string().min(1).max(100))
    .max(20)
    .default(['autocode'])
    .meta({ description: 'An open issue with one of them becomes a task.' }),
  assignee: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .meta({ description: 'Or one that is assigned to this user.' }),
  mention: z
    .string()
    .min(2)
    .max(100)
    .default('@autocode')
    .meta({ description: 'A comment with it is said to the task of its issue or pull request.' }),
  priority: z.int().min(-100).max(100).default(0).meta({ description: 'Of the tasks of its issues.' }),
  reviews: z
    .boolean()
    .default(true)
    .meta({ description: 'Reviews of our pull requests, and their comments, are taken up.' }),
  checks: z
    .boolean()
    .default(true)
    .meta({ description: 'Checks of our pull requests that failed are taken up.' }),
  answers: z.boolean().default(true).meta({ description: 'Whoever asked is answered there.' }),
  pollSeconds: z
    .int()
    .min(2)
    .max(86_400)
    .nullable()
    .default(60)
    .meta({ description: 'How often the forge is asked; never when empty.' }),
});
export type ForgeSourceSettings = z.infer<typeof ForgeSourceSettings>;

/** Names a fact within its forge: the same however it was learnt. */
export function keyOfFact(fact: ForgeFact): string {
  const path = fact.path.toLowerCase();
  if (fact.what === 'issue') return `${path}#${fact.number}`;
  if (fact.what === 'check') return `${path} check ${fact.commit} ${fact.name}`;
  if (fact.what === 'comment') return `${path} comment ${fact.id}`;
  return `${path} review ${fact.number} ${fact.id}`;
}

/** A fact as the delivery that is stored of it; its name is that of the fact, so that it is stored once. */
export function factDelivery(fact: ForgeFact, name: string): RawDelivery {
  return { delivery: `poll ${name}`, event: FACT, body: Buffer.from(JSON.stringify(fact)) };
}
