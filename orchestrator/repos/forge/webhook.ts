// Deliveries of a forge's webhooks: their signature, each once, and the look at the changes that they are about. What a
// delivery says of a change's state is not believed: it only wakes. Used by api/routes/webhooks.ts.
import { AutocodeError } from '../../../protocol/errors.ts';
import type { ForgeKindName } from '../../../protocol/project.ts';
import type { Queryable } from '../../db/connect.ts';
import { transaction } from '../../db/connect.ts';
import { changesAt, changesOnBranch } from '../changes.ts';
import { refreshChanges } from '../merge.ts';
import type { MergeDeps } from '../merge.ts';
import type { Told } from './forge.ts';
import { kindNamed } from './kinds.ts';

export interface Delivery {
  kind: ForgeKindName;
  forge: string;
  id: string;
  event: string; // as `pull_request`
  signature: string; // in the form of its kind
  body: Buffer; // the bytes that were signed
}

/** What else is done with a delivery that was believed, in the transaction that notes it. */
export type KeepDelivery = (tx: Queryable, delivery: Delivery) => Promise<void>;

/**
 * Takes a delivery; ERR_UNAUTHENTICATED where its signature is not that of the forge's secret. It is noted when this resolves;
 * the look at its change goes on after it, and `looked` resolves with that.
 */
export async function receiveHook(
  deps: MergeDeps & { keepDelivery?: KeepDelivery | undefined },
  delivery: Delivery,
  onError: (error: unknown) => void,
  signal?: AbortSignal,
): Promise<{ looked: Promise<void> }> {
  const { kind, forge, id, event, body, signature } = delivery;
  const { webhook } = kindNamed(kind);
  const secret = await deps.forges.webhookSecret(kind, forge);
  if (secret === undefined || !webhook.isSigned(body, secret, signature)) throw notSigned(forge);
  const told = webhook.read(event, parsed(body));
  const changes = told === undefined ? [] : await changesOf(deps.db, forge, told);
  const isNew = await transaction(deps.db, async (tx) => {
    if (!(await record(tx, `${kind}/${forge}`, id))) return false;
    await deps.keepDelivery?.(tx, delivery);
    return true;
  });
  return { looked: isNew ? look(deps, changes, onError, signal) : Promise.resolve() };
}

async function changesOf(db: Queryable, forge: string, told: Told): Promise<number[]> {
  return 'pushed' in told
    ? await changesOnBranch(db, forge, told)
    : await changesAt(db, forge, told.number, told.branch);
}

// A forge that does not answer now is asked again by the look that comes every minute.
async function look(
  deps: MergeDeps,
  changes: number[],
  onError: (error: unknown) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (changes.length === 0) return;
  await refreshChanges(deps, onError, signal, changes).catch((error: unknown) => {
    if (signal?.aborted !== true) onError(error);
  });
}

async function record(tx: Queryable, source: string, id: string): Promise<boolean> {
  const { rowCount } = await tx.query(
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
