// Whether models can run on some GPUs, with how many tokens, beside which others, and if not, why and what would: the
// answer to `model plan`. Pure; used by ask.ts.
import type { AutocodeError } from '../../../protocol/errors.ts';
import type { LocalModel, ModelPlan, PlannedModel } from '../../../protocol/local-model.ts';
import { wouldFit } from './alternatives.ts';
import type { Facts } from './facts.ts';
import { footprint, tokensIn } from './footprint.ts';
import { freeOf, gpusOf, mostMib, placementsOf } from './placements.ts';
import type { ModelPlacement, PlannedCard } from './placements.ts';
import { together } from './together.ts';
import { whyItDoesNot, whyItFits } from './words.ts';

/** A model with what is known of it, or what is wrong with its weights. */
export interface Subject {
  model: LocalModel;
  facts: Facts | AutocodeError;
  /** Measured ÷ predicted of earlier loads. */
  calibration: number | null;
}

export interface NamedCard extends PlannedCard {
  name: string;
}

/** The plan for `asked`, each beside the others of the catalogue. */
export function plan(
  asked: readonly Subject[],
  catalogue: readonly Subject[],
  cards: readonly NamedCard[],
): ModelPlan {
  const options = asked.map((subject) => placed(subject, cards));
  const all = together(options, cards);
  const neighbours = catalogue.map((subject) => ({ subject, placements: placed(subject, cards) }));
  const models = asked.map((subject, at): PlannedModel => {
    const own = options[at] ?? [];
    const chosen = all.placements?.[at] ?? own[0];
    const present = all.placements ?? own.slice(0, 1);
    const others = neighbours.filter(({ subject: other }) => other.model.name !== subject.model.name);
    const beside = others
      .filter(({ placements }) => together([own, placements], cards).placements !== undefined)
      .map((other) => other.subject.model.name);
    return { ...answer(subject, chosen, cards, present), beside };
  });
  return {
    gpus: cards.map(({ index, name, totalMib }) => ({ index, name, totalMib })),
    together: all.placements !== undefined,
    models,
    placements: asked.reduce((sum, { model }) => sum + groupsOf(cards.length, gpusOf(model)), all.tried),
  };
}

function placed({ model, facts, calibration }: Subject, cards: readonly PlannedCard[]): ModelPlacement[] {
  return 'shape' in facts ? placementsOf(model, facts.shape, cards, calibration ?? 1) : [];
}

function answer(
  { model, facts, calibration }: Subject,
  placement: ModelPlacement | undefined,
  cards: readonly PlannedCard[],
  present: readonly ModelPlacement[],
): Omit<PlannedModel, 'beside'> {
  const common = { model: model.name, calibration };
  if (!('shape' in facts)) {
    const why = facts.remedy === undefined ? facts.message : `${facts.message} ${facts.remedy}`;
    return { ...common, fits: false, why, would: [], gpus: [], need: null, freeMib: null, source: 'weights' };
  }
  const { shape, source } = facts;
  const need = footprint(model, shape);
  if (placement !== undefined) {
    const { gpus, tokens } = placement;
    const taken = (gpu: number) =>
      present.reduce((sum, each) => sum + (each.gpus.includes(gpu) ? each.mib : 0), 0);
    const left = cards
      .filter(({ index }) => gpus.includes(index))
      .map((card) => freeOf(card) - taken(card.index));
    return {
      ...common,
      source,
      fits: true,
      why: whyItFits(model, need, placement, calibration),
      would: [],
      gpus,
      need: { ...need, tokens },
      freeMib: Math.max(0, Math.min(...left)),
    };
  }
  return {
    ...common,
    source,
    fits: false,
    why: whyItDoesNot(model, shape, need, cards, calibration),
    would: wouldFit(model, shape, cards, calibration ?? 1),
    gpus: [],
    need: {
      ...need,
      tokens: Math.min(need.tokens, tokensIn(model, shape, mostMib(model, cards, calibration ?? 1))),
    },
    freeMib: null,
  };
}

// How many groups of `size` there are of `count` GPUs.
function groupsOf(count: number, size: number): number {
  return size === 0 ? 1 : count < size ? 0 : (groupsOf(count - 1, size - 1) * count) / size;
}
