// Whether several models fit at the same time: every combination of their placements is tried until one does. Used by
// the plan.
import { AutocodeError } from '../../../protocol/errors.ts';
import { freeOf } from './placements.ts';
import type { ModelPlacement, PlannedCard } from './placements.ts';

export interface Together {
  /** One for each model, in their order; undefined when there is no such combination. */
  placements: ModelPlacement[] | undefined;
  /** How many placements were tried. */
  tried: number;
}

const MOST_TRIED = 100_000;

/** A way to have one placement of each model. */
export function together(
  options: readonly (readonly ModelPlacement[])[],
  cards: readonly PlannedCard[],
): Together {
  const free = new Map(cards.map((card) => [card.index, freeOf(card)]));
  const kind = kindsOf(options, cards);
  // The largest first: what cannot be, shows early.
  const order = options.map((_, at) => at).sort((a, b) => sizeOf(options[b]) - sizeOf(options[a]));
  const chosen: ModelPlacement[] = [];
  const hopeless = new Set<string>();
  let tried = 0;
  const place = (depth: number): boolean => {
    const at = order[depth];
    if (at === undefined) return true;
    // GPUs of one kind with equally much left are the same to what is to come.
    const left = [...free].map(([index, mib]) => `${kind.get(index)} ${mib}`).sort();
    const state = `${depth} ${left.join(',')}`;
    if (hopeless.has(state)) return false;
    for (const placement of options[at] ?? []) {
      tried += 1;
      if (tried > MOST_TRIED) throw tooMany();
      if (!placement.gpus.every((gpu) => (free.get(gpu) ?? 0) >= placement.mib)) continue;
      take(placement, placement.mib);
      chosen[at] = placement;
      if (place(depth + 1)) return true;
      take(placement, -placement.mib);
    }
    hopeless.add(state);
    return false;
  };
  const take = ({ gpus }: ModelPlacement, mib: number) =>
    gpus.forEach((gpu) => free.set(gpu, (free.get(gpu) ?? 0) - mib));
  return { placements: place(0) ? chosen : undefined, tried };
}

/** For each GPU the first one that it may be exchanged for: with the two swapped, all models have the placements that they had. */
function kindsOf(
  options: readonly (readonly ModelPlacement[])[],
  cards: readonly PlannedCard[],
): Map<number, number> {
  const keyOf = (gpus: readonly number[], mib: number) => `${gpus.toSorted((a, b) => a - b).join()} ${mib}`;
  const known = options.map((all) => new Set(all.map(({ gpus, mib }) => keyOf(gpus, mib))));
  const swapped = (gpus: readonly number[], one: number, other: number) =>
    gpus.map((gpu) => (gpu === one ? other : gpu === other ? one : gpu));
  const alike = (one: PlannedCard, other: PlannedCard) =>
    one.totalMib === other.totalMib &&
    one.foreignMib === other.foreignMib &&
    options.every((all, at) =>
      all.every(
        ({ gpus, mib }) =>
          gpus.includes(one.index) === gpus.includes(other.index) ||
          known[at]!.has(keyOf(swapped(gpus, one.index, other.index), mib)),
      ),
    );
  const firsts: PlannedCard[] = [];
  const kinds = new Map<number, number>();
  for (const card of cards) {
    let first = firsts.find((each) => alike(each, card));
    if (first === undefined) firsts.push((first = card));
    kinds.set(card.index, first.index);
  }
  return kinds;
}

const sizeOf = (placements: readonly ModelPlacement[] | undefined) =>
  (placements?.[0]?.mib ?? Infinity) * (placements?.[0]?.gpus.length ?? 1);

function tooMany(): AutocodeError {
  return new AutocodeError(
    'ERR_INVALID_INPUT',
    'There are too many ways to put these models on these GPUs.',
    {
      remedy: 'Ask for fewer models, or for fewer different GPUs, at a time.',
    },
  );
}
