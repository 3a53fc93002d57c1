// The body of a purchase: a text with places for what is on a card or in a wallet, filled in when it is sent. Used by the API, which
// checks it, and by execute.ts.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Purchase } from '../../protocol/purchase.ts';
import { paymentCard, wallet } from '../secrets/purchase.ts';
import type { SecretManager } from '../secrets/secret-manager.ts';

const PLACE = /\{\{([^{}]*)\}\}/g;
const KNOWN = /^(card\.(number|expiry|cvc|holder)|wallet\.[A-Z]{2,10}\.(address|key))$/;

export interface Filled {
  body: string;
  /** What was filled in, for whoever must not show it. */
  values: string[];
  /** The account of the ledger that is paid from. */
  account: string;
}

/** ERR_INVALID_INPUT for a body that names no place, or one that there is not. */
export function checkBody(body: string): void {
  const places = placesIn(body);
  const odd = places.find((place) => !KNOWN.test(place));
  if (places.length > 0 && odd === undefined) return;
  throw new AutocodeError(
    'ERR_INVALID_INPUT',
    odd === undefined ? 'The body has no place for a card or a wallet.' : `There is no {{${odd}}}.`,
    {
      remedy:
        'Write {{card.number}}, {{card.expiry}}, {{card.cvc}}, {{card.holder}}, {{wallet.TON.address}} or {{wallet.TON.key}}.',
    },
  );
}

/** The body as it is sent. */
export async function fillBody(
  secrets: SecretManager,
  { body, contentType }: Pick<Purchase, 'body' | 'contentType'>,
): Promise<Filled> {
  const values = new Map<string, string>();
  let account = 'payments';
  for (const place of placesIn(body)) {
    const [kind, ...rest] = place.split('.');
    if (kind === 'card') {
      const card = await paymentCard(secrets);
      values.set(place, card[rest[0] as keyof typeof card]);
      account = `card:${card.number.slice(-4)}`;
    } else {
      const [currency, field] = rest;
      values.set(place, (await wallet(secrets, currency))[field as 'address' | 'key']);
      if (account === 'payments') account = `wallet:${currency}`;
    }
  }
  const written = contentType === 'application/json' ? inJson : encodeURIComponent;
  return {
    body: body.replaceAll(PLACE, (_, place: string) => written(values.get(place)!)),
    values: [...values.values()],
    account,
  };
}

const inJson = (value: string) => JSON.stringify(value).slice(1, -1);

const placesIn = (body: string) => [...body.matchAll(PLACE)].map(([, place]) => place!);
