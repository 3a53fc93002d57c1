// Card and wallets, as a purchase needs them: read when it is executed, never kept and never shown. They may be JSON in one
// secret, or a secret of Vault with these fields.
import { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import { requireSecret, type SecretManager } from './secret-manager.ts';

const CARD = 'payments/card_primary';

export const PaymentCard = z.object({
  number: z.string().regex(/^\d{12,19}$/),
  /** Month and year, as `04/29`. */
  expiry: z.string().regex(/^(0[1-9]|1[0-2])\/\d{2}$/),
  cvc: z.string().regex(/^\d{3,4}$/),
  holder: z.string().min(1),
});
export type PaymentCard = z.infer<typeof PaymentCard>;

export const Wallet = z.object({ address: z.string().min(1), key: z.string().min(1) });
export type Wallet = z.infer<typeof Wallet>;

/** The card that purchases are paid with. */
export async function paymentCard(secrets: SecretManager): Promise<PaymentCard> {
  return await read(secrets, CARD, PaymentCard);
}

/** The wallet for a currency, as `TON`. */
export async function wallet(secrets: SecretManager, currency = 'TON'): Promise<Wallet> {
  return await read(secrets, `crypto/${currency}`, Wallet);
}

async function read<T>(secrets: SecretManager, name: string, schema: z.ZodObject & z.ZodType<T>): Promise<T> {
  const parsed = schema.safeParse(fields(await requireSecret(secrets, name)));
  if (parsed.success) return parsed.data;
  // Only which fields: the value of one is not for a message.
  const wrong = [...new Set(parsed.error.issues.map(({ path }) => String(path[0] ?? 'all')))].join(', ');
  throw new AutocodeError('ERR_SECRET', `The secret ${name} is not as it has to be: ${wrong}.`, {
    remedy: `Write it as JSON with the fields ${Object.keys(schema.shape).join(', ')}: \`autocode secret set ${name}\`.`,
  });
}

function fields(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
