// What a run has in the place of secrets: words that are good for nothing elsewhere, derived so that a repeated claim hands out the same
// ones. Used by the keeper and for work orders; proxy-addon/inject.py knows their form.
import { createHmac } from 'node:crypto';
import type { Queryable } from '../../db/connect.ts';
import { variablesOf } from '../bindings/store.ts';

/** The placeholder for a secret in a run. */
export function placeholderFor(serverKey: Buffer, run: string, secret: string): string {
  return `acph_${createHmac('sha256', serverKey).update(`placeholder:${run}:${secret}`).digest('base64url')}`;
}

/** All that a run has, by the variables that they are in. */
export async function placeholdersOf(
  db: Queryable,
  serverKey: Buffer,
  run: string,
): Promise<Record<string, string>> {
  const variables = await variablesOf(db, run);
  return Object.fromEntries(
    variables.map(({ variable, secret }) => [variable, placeholderFor(serverKey, run, secret)]),
  );
}
