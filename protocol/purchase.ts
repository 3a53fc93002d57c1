// Purchases: proposed by somebody, approved by a person, sent by the orchestrator with the card or wallet that nobody sees (docs/purchases.md).
import { z } from 'zod';
import { Name, Timestamp } from './ids.ts';
import { text } from './text.ts';

export const PURCHASE_STATES = ['proposed', 'rejected', 'sending', 'paid', 'failed', 'unknown'] as const;
export const PurchaseState = z.enum(PURCHASE_STATES).meta({
  id: 'PurchaseState',
  description: '`unknown`: it was sent, and nobody knows what became of it; look at the payee.',
});
export type PurchaseState = z.infer<typeof PurchaseState>;

const CONTENT_TYPES = ['application/json', 'application/x-www-form-urlencoded'] as const;

export const PurchaseProposal = z
  .strictObject({
    project: Name.optional().meta({
      description: 'Whose budgets it counts in; the appliance’s alone when left out.',
    }),
    url: text().max(2000).meta({ description: 'Of the payee, over https; sent to with POST.' }),
    contentType: z.enum(CONTENT_TYPES).default('application/json'),
    body: text().min(1).max(16_384).meta({
      description:
        'With {{card.number}}, {{card.expiry}}, {{card.cvc}}, {{card.holder}}, {{wallet.TON.address}} or {{wallet.TON.key}} where they are to stand.',
    }),
    amount: z
      .int()
      .min(1)
      .max(Number.MAX_SAFE_INTEGER)
      .meta({ description: 'Millionths of the ledger currency.' }),
    memo: text().min(1).max(1000).meta({ description: 'What it is for.' }),
  })
  .meta({ id: 'PurchaseProposal' });
export type PurchaseProposal = z.infer<typeof PurchaseProposal>;

export const Purchase = z
  .object({
    id: z.int(),
    entry: z.uuid().meta({ description: 'Of the ledger; the payee has it as Idempotency-Key.' }),
    project: z.string().nullable(),
    url: z.string(),
    contentType: z.enum(CONTENT_TYPES),
    body: z.string().meta({ description: 'As it was proposed, without card and wallet.' }),
    amount: z.int(),
    memo: z.string(),
    state: PurchaseState,
    status: z.int().nullable().meta({ description: 'What the payee answered with.' }),
    reason: z.string().nullable(),
    proposedBy: z.string(),
    proposedAt: Timestamp,
    decidedBy: z.string().nullable(),
    decidedAt: Timestamp.nullable(),
    endedAt: Timestamp.nullable(),
  })
  .meta({ id: 'Purchase' });
export type Purchase = z.infer<typeof Purchase>;

export const PurchaseResolution = z
  .strictObject({ paid: z.boolean().meta({ description: 'What the payee says.' }) })
  .meta({ id: 'PurchaseResolution' });
