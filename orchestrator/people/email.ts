// The address of a person's email: from the sign-in provider where it vouches for one, else as the person or an admin sets it. Nothing
// is sent to one that nobody has confirmed. Used by people.ts, provider-person.ts and notifications/.
import { AutocodeError } from '../../protocol/errors.ts';
import { EmailAddress } from '../../protocol/notification-ways.ts';
import type { Queryable } from '../db/connect.ts';

/**
 * Sets or removes an address; ERR_STATE for another one than the provider says. One that an admin sets counts as confirmed, another one
 * that the person sets is to be confirmed anew. Without one, no email is sent any more.
 */
export async function setEmail(
  tx: Queryable,
  person: number,
  address: string | null,
  by: 'admin' | 'person',
): Promise<void> {
  const { rowCount } = await tx.query(
    `update person set email = $2, email_verified_at = case when email = $2 and email_verified_at is not null then email_verified_at
         when $2 is not null and $3 then now() end
     where id = $1 and (not email_by_provider or email is not distinct from $2)`,
    [person, address, by === 'admin'],
  );
  if (rowCount === 0)
    throw new AutocodeError('ERR_STATE', 'This address comes from the sign-in provider.', {
      remedy: 'Change it there; it is taken over with the next sign-in.',
    });
  if (address === null)
    await tx.query('update notification_settings set email = false where person = $1', [person]);
}

/** Takes over the address of a provider's claims, if the provider has verified it. */
export async function takeProvidedEmail(
  tx: Queryable,
  person: number,
  { email, email_verified: verified }: Record<string, unknown>,
): Promise<void> {
  const address = EmailAddress.safeParse(email);
  if (!address.success || !(verified === true || verified === 'true')) return;
  await tx.query(
    `update person set email = $2, email_by_provider = true, email_verified_at = now()
     where id = $1 and (email, email_by_provider) is distinct from ($2, true)`,
    [person, address.data],
  );
}
