// Deliveries of a forge's webhooks: their signature, each once, and the look at the change that they are about. What a
// delivery says is not believed: it only wakes. Used by api/routes/webhooks.ts.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { changesAt } from '../changes.ts';
import { refreshChange } from '../merge.ts';
import type { MergeDeps } from '../merge.ts';

export interface Delivery {
  forge: string;
  id: string;
  event: string; // as `pull_request`
  signature: string; // hex
  body: Buffer; // the bytes that were signed
}

const PullRequestEvent = z.object({
  pull_request: z.object({ number: z.number(), head: z.object({ ref: z.string() }) }),
});

/** Takes a delivery; ERR_UNAUTHENTICATED where its signature is not that of the forge's secret. */
export async function receiveHook(
  deps: MergeDeps,
  delivery: Delivery,
  onError: (error: unknown) => void,
  signal?: AbortSignal,
): Promise<void> {
  const { forge, id, body } = delivery;
  const secret = await deps.forges.webhookSecret(forge);
  if (secret === undefined || !isSigned(body, secret, delivery.signature)) throw notSigned(forge);
  if (!(await isNew(deps, `gitea/${forge}`, id))) return;
  if (!delivery.event.startsWith('pull_request')) return;
  const told = PullRequestEvent.safeParse(parsed(body));
  if (!told.success) return;
  const { number, head } = told.data.pull_request;
  // A forge that does not answer now is asked again by the look that comes every minute.
  for (const change of await changesAt(deps.db, forge, number, head.ref))
    await refreshChange(deps, change, signal).catch(onError);
}

function isSigned(body: Buffer, secret: string, signature: string): boolean {
  const expected = createHmac('sha256', secret).update(body).digest();
  const given = Buffer.from(/^[0-9a-f]{64}$/i.test(signature) ? signature : '', 'hex');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

async function isNew({ db }: MergeDeps, source: string, id: string): Promise<boolean> {
  const { rowCount } = await db.query(
    'insert into delivery (source, id) values ($1, $2) on conflict do nothing',
    [source, id],
  );
  return rowCount === 1;
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

// The same whether the forge is unknown, has no secret or another one: nobody learns which forges there are.
function notSigned(forge: string): AutocodeError {
  return new AutocodeError(
    'ERR_UNAUTHENTICATED',
    `The delivery is not signed with the webhook secret of the forge ${forge}.`,
    {
      remedy:
        'Give the secret with `autocode project set PROJECT --forge NAME --forge-webhook-secret-file FILE`, the same to the webhook.',
    },
  );
}
