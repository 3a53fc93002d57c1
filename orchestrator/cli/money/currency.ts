// The currency that amounts are in. Used by whatever shows money.
import { Status } from '../../../protocol/status.ts';
import type { Client } from '../client.ts';

/** Of the ledger. */
export async function currencyOf(client: Client): Promise<string> {
  return (await client.get('/status', Status)).currency;
}
