// What each model needs and where it could go, looked at again as weights come and strangers take memory. Used by the loop.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AutocodeError } from '../../../protocol/errors.ts';
import type { LocalModel, ManagedEngineKind, ModelShape } from '../../../protocol/local-model.ts';
import type { Card } from '../residency/state.ts';
import { calibrations } from '../vram/calibration.ts';
import type { Calibrations } from '../vram/calibration.ts';
import { shapeOf } from '../vram/facts.ts';
import { placementsOf, type ModelPlacement } from '../vram/placements.ts';
import { weightsState } from '../weights/state.ts';
import type { Fleet, Member } from './fleet.ts';
import type { Trouble } from './instances.ts';

const EVERY_MS = 10_000;
/** What strangers have of a GPU goes up and down a little all the time. */
const FOREIGN_STEP_MIB = 256;

/** Makes what brings the plans of all models up to date. It looks at the disk every few seconds, and when the cards have changed. */
export function planner(fleet: Fleet, elsewhere: (kind: ManagedEngineKind) => boolean): () => Promise<void> {
  const shapes = knownShapes(fleet.weights);
  let at = 0;
  let cardsThen = '';
  let measured: Calibrations = () => null;
  return async () => {
    const cards = fleet.gpus.cards().map(rounded);
    const text = JSON.stringify(cards);
    if (text !== cardsThen || Date.now() - at >= EVERY_MS) {
      cardsThen = text;
      at = Date.now();
      measured = await calibrations(fleet.db).catch(() => measured); // while the database is away, as before
      for (const member of fleet.members.values())
        if (elsewhere(member.model.engine)) planElsewhere(member);
        else await plan(fleet, member, { cards, measured, shapes });
    }
    for (const member of fleet.members.values())
      member.trouble = member.lack ?? besidePinned(fleet, member, cards);
  };
}

/** That what is pinned leaves no room for it: it would be waited for in vain. */
function besidePinned(fleet: Fleet, member: Member, cards: readonly Card[]): Trouble | null {
  const pinned = [...fleet.members.values()].filter((other) => other !== member && other.load === 'pinned');
  const kept = pinned.flatMap(({ replicas }) => replicas.map(({ placement }) => placement));
  const fits = member.placements.some(({ gpus, mib }) =>
    cards
      .filter(({ index }) => gpus.includes(index))
      .every(({ index, totalMib, foreignMib }) => {
        const theirs = kept.filter((placement) => placement.gpus.includes(index));
        return theirs.reduce((left, placement) => left - placement.mib, totalMib - foreignMib) >= mib;
      }),
  );
  if (fits) return null;
  const names = pinned.filter(({ replicas }) => replicas.length > 0).map(({ model }) => model.name);
  return {
    problem: `it does not fit beside ${names.join(', ')}, which ${names.length === 1 ? 'is' : 'are'} pinned.`,
    remedy: `\`autocode model unload ${names[0]}\` makes room until the next start; \`load\` in the catalogue for good.`,
  };
}

// Its engine finds a place by itself, and tells when it has none.
function planElsewhere(member: Member): void {
  member.weights = 'here';
  member.lack = null;
  member.placements = [
    { gpus: [], mib: 0, predictedMib: 0, gpuMemoryUtilization: member.model.gpuMemoryUtilization, tokens: 0 },
  ];
}

interface Known {
  cards: Card[];
  measured: Calibrations;
  shapes: Shapes;
}

async function plan(fleet: Fleet, member: Member, { cards, measured, shapes }: Known): Promise<void> {
  const { model } = member;
  try {
    const weights =
      model.engine === 'ollama' // it keeps its own
        ? { state: 'here' as const, problem: null }
        : await weightsState(join(fleet.weights, model.path));
    member.weights = weights.state;
    if (weights.state !== 'here') {
      return hopeless(member, weightsTrouble(model, weights.state, weights.problem));
    }
    const shape = await shapes(model);
    member.weightsBytes = shape.weightsBytes;
    const calibration = measured(model.name, model.tensorParallel) ?? 1;
    member.placements = placesFor(model, shape, cards, calibration);
    const usable = cards.filter((card) => card.usable);
    const fits = member.placements.some(({ gpus }) =>
      gpus.every((gpu) => usable.some(({ index }) => index === gpu)),
    );
    const bare = cards.map((card) => ({ ...card, foreignMib: 0 }));
    const empty = () => placesFor(model, shape, bare, calibration);
    member.lack = fits ? null : placeTrouble(model.name, cards, empty().length > 0);
  } catch (error) {
    const remedy = error instanceof AutocodeError ? error.remedy : undefined;
    hopeless(member, { problem: (error as Error).message, remedy: remedy ?? null });
  }
}

type Shapes = (model: LocalModel) => Promise<ModelShape>;

/** Shapes, read again when the weights have changed: all headers of all files are looked at for one. */
function knownShapes(root: string): Shapes {
  const known = new Map<string, { changed: string; shape: ModelShape }>();
  return async (model) => {
    const directory = join(root, model.path);
    const times = [directory, join(directory, 'config.json')].map(
      async (path) => (await stat(path).catch(() => null))?.mtimeMs,
    );
    const changed = (await Promise.all(times)).join(' ');
    const before = known.get(model.name);
    if (before?.changed === changed) return before.shape;
    const { shape } = await shapeOf(model, root);
    known.set(model.name, { changed, shape });
    return shape;
  };
}

/** Where it could go. All replicas of an application of Ray's come and go together. */
function placesFor(
  model: LocalModel,
  shape: ModelShape,
  cards: Card[],
  calibration: number,
): ModelPlacement[] {
  const each = placementsOf(model, shape, cards, calibration);
  return together(each, model.engine === 'ray-serve' ? model.replicas.max : 1);
}

/** All ways to have so many of the placements at once, each as one. */
function together(all: readonly ModelPlacement[], count: number): ModelPlacement[] {
  if (count === 1) return [...all];
  return all.flatMap((first, at) => {
    const beside = all.slice(at + 1).filter(({ gpus }) => !gpus.some((gpu) => first.gpus.includes(gpu)));
    return together(beside, count - 1).map(({ gpus }) => ({ ...first, gpus: [...first.gpus, ...gpus] }));
  });
}

function hopeless(member: Member, trouble: Trouble): void {
  member.placements = [];
  member.lack = trouble;
}

function weightsTrouble(
  { name, path }: LocalModel,
  state: 'missing' | 'broken',
  problem: string | null,
): Trouble {
  return state === 'missing'
    ? {
        problem: problem ?? 'its weights are not here.',
        remedy: `Bring them with \`autocode model import PATH --name ${path}\`.`,
      }
    : {
        problem: problem ?? 'its weights are broken.',
        remedy: `See \`autocode model verify ${name}\`, then import them again.`,
      };
}

function placeTrouble(name: string, cards: readonly Card[], fitsEmpty: boolean): Trouble {
  if (cards.length === 0)
    return {
      problem: 'no GPU is seen.',
      remedy:
        'See `autocode model gpus`; where nvidia-smi is not to be asked, declare them in models.local.gpus.',
    };
  const lost = cards.filter(({ usable }) => !usable).map(({ index }) => `GPU ${index} is not usable`);
  const taken = cards
    .filter(({ foreignMib }) => foreignMib > FOREIGN_STEP_MIB)
    .map(
      ({ index, foreignMib }) => `${(foreignMib / 1024).toFixed(1)} GiB of GPU ${index} are taken by others`,
    );
  if (fitsEmpty && lost.length + taken.length > 0)
    return {
      problem: `it does not fit now: ${[...lost, ...taken].join(', ')}.`,
      remedy: 'It is loaded when that is over; `autocode model gpus` and `nvidia-smi` show who it is.',
    };
  return {
    problem: `it does not fit on the GPUs of this machine (${cards.map(({ totalMib }) => `${(totalMib / 1024).toFixed(1)} GiB`).join(', ')}).`,
    remedy: `See \`autocode model plan ${name}\`: it tells what would make it fit.`,
  };
}

function rounded(card: Card): Card {
  return { ...card, foreignMib: Math.ceil(card.foreignMib / FOREIGN_STEP_MIB) * FOREIGN_STEP_MIB };
}
