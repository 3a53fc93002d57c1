// The search: one option a model so that all fit together and are worth the most. Every arrangement is looked at, or is known
// to be worth less than one that was found: a part of it, with the best of all that is left, does not reach it.
import type { Option } from './options.ts';

/** Parts of arrangements that are looked at; two cards and ten models stay far below. With many cards the best one so far is taken. */
const MOST_PARTS = 1_000_000;

/** The best arrangement: an option for each model, in the order of `groups`. `room`: MiB of each pool. */
export function bestArrangement(groups: readonly (readonly Option[])[], room: readonly number[]): Option[] {
  const order = groups.map((_, index) => index).sort((a, b) => spread(groups[b]!) - spread(groups[a]!));
  const sorted = order.map((index) => groups[index]!);
  const reachable = Array.from({ length: sorted.length + 1 }, () => 0);
  for (let at = sorted.length - 1; at >= 0; at -= 1)
    reachable[at] = reachable[at + 1]! + sorted[at]![0]!.worth;

  const used = room.map(() => 0);
  const added = room.map(() => 0);
  const chosen: Option[] = [];
  let best = sorted.map((options) => options.find(({ adds }) => !adds.includes(true))!);
  let bestWorth = best.reduce((sum, { worth }) => sum + worth, 0);
  let parts = 0;

  const look = (at: number, worth: number): void => {
    if (at === sorted.length) {
      bestWorth = worth;
      best = [...chosen];
      return;
    }
    for (const option of sorted[at]!) {
      if (worth + option.worth + reachable[at + 1]! <= bestWorth + 1e-9 || parts >= MOST_PARTS) return;
      parts += 1;
      let fits = true;
      for (let pool = 0; pool < room.length; pool += 1) {
        used[pool]! += option.uses[pool]!;
        if (option.adds[pool]) added[pool]! += 1;
        if (added[pool]! > 0 && used[pool]! > room[pool]!) fits = false;
      }
      if (fits) {
        chosen[at] = option;
        look(at + 1, worth + option.worth);
      }
      for (let pool = 0; pool < room.length; pool += 1) {
        used[pool]! -= option.uses[pool]!;
        if (option.adds[pool]) added[pool]! -= 1;
      }
    }
  };
  look(0, 0);
  return groups.map((_, index) => best[order.indexOf(index)]!);
}

function spread(options: readonly Option[]): number {
  return options[0]!.worth - options.at(-1)!.worth;
}
