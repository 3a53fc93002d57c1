// The GPUs that a plan is for: those of the question, else those of the machine. Used by ask.ts.
import { AutocodeError } from '../../../protocol/errors.ts';
import type { PlanRequest } from '../../../protocol/local-model.ts';
import type { LocalModels } from '../../config/local-model-settings.ts';
import type { Queryable } from '../../db/connect.ts';
import { nvidiaSmi } from '../gpu/nvidia-smi.ts';
import { listGpus } from '../gpu/store.ts';
import type { NamedCard } from './plan.ts';

export interface CardParts {
  db: Queryable;
  /** Undefined: nobody watches the GPUs. */
  local: Pick<LocalModels, 'gpus'> | undefined;
  /** Asked once for each plan where nobody watches. */
  nvidiaSmi: string;
}

const ASK_MS = 10_000;

/** The GPUs with what strangers have taken of them. */
export async function cardsToPlan(parts: CardParts, asked: PlanRequest['gpus']): Promise<NamedCard[]> {
  if (asked !== undefined && asked.length > 0) return declared(asked);
  const { cards, problem } = parts.local === undefined ? await unwatched(parts) : await watched(parts);
  if (cards.length > 0) return cards;
  throw new AutocodeError('ERR_INVALID_INPUT', `No GPU is known on this machine${problem}.`, {
    remedy: 'Say which to plan for, as `autocode model plan MODEL --gpus 2x24564`.',
  });
}

interface Found {
  cards: NamedCard[];
  problem: string;
}

// Models of the appliance's own make room, those of others do not.
async function watched({ db, local }: CardParts): Promise<Found> {
  const { gpus, problem } = await listGpus(db);
  const cards = gpus
    .filter(({ state }) => state !== 'lost')
    .map(({ index, name, totalMib, foreignMib }) => ({ index, name, totalMib, foreignMib: foreignMib ?? 0 }));
  if (cards.length === 0 && local?.gpus !== undefined) return { cards: declared(local.gpus), problem: '' };
  return { cards, problem: problem === null ? '' : `: ${problem.replace(/\.$/, '')}` };
}

async function unwatched({ nvidiaSmi: program }: CardParts): Promise<Found> {
  const { cards } = await nvidiaSmi(program)([], AbortSignal.timeout(ASK_MS));
  const found = cards.flatMap(({ index, name, totalMib, usedMib }) =>
    totalMib === null ? [] : [{ index, name, totalMib, foreignMib: usedMib ?? 0 }],
  );
  return { cards: found, problem: '' };
}

const declared = (gpus: readonly { name: string; totalMib: number }[]): NamedCard[] =>
  gpus.map(({ name, totalMib }, index) => ({ index, name, totalMib, foreignMib: 0 }));
