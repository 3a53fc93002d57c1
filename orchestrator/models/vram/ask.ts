// What `model plan` needs to know before it can answer: the catalogue, the weights that are here, what earlier loads
// took, which GPUs there are. Used by the API.
import { AutocodeError } from '../../../protocol/errors.ts';
import type { LocalModel, ModelPlan, PlanRequest } from '../../../protocol/local-model.ts';
import { LOCAL, readLocalCatalogue } from '../local-catalogue.ts';
import { calibrations } from './calibration.ts';
import type { Calibrations } from './calibration.ts';
import { cardsToPlan } from './cards.ts';
import type { CardParts } from './cards.ts';
import { shapeOf } from './facts.ts';
import { plan } from './plan.ts';
import type { Subject } from './plan.ts';
import { inPrecision } from './precision.ts';

export interface PlanParts extends CardParts {
  /** Path of the catalogue. */
  catalogue: string;
  /** Directory of the weights. */
  weights: string;
}

/** Answers a request; the models are on nobody's GPUs yet, but what strangers have taken of these counts. */
export async function askPlan(parts: PlanParts, request: PlanRequest): Promise<ModelPlan> {
  const models = readLocalCatalogue(parts.catalogue);
  const asked = request.models.map((name) => changed(byName(models, name), request));
  const cards = await cardsToPlan(parts, request.gpus);
  const measured = await calibrations(parts.db);
  const known = async (model: LocalModel) => await subject(model, parts.weights, measured);
  const subjects = await Promise.all(asked.map(known));
  const { dtype } = request;
  return plan(
    dtype === undefined ? subjects : subjects.map((each) => converted(each, dtype)),
    await Promise.all(models.map(known)),
    cards,
  );
}

function byName(models: LocalModel[], asked: string): LocalModel {
  const name = asked.startsWith(LOCAL) ? asked.slice(LOCAL.length) : asked;
  const model = models.find((each) => each.name === name);
  if (model !== undefined) return model;
  throw new AutocodeError(
    'ERR_MODEL_UNKNOWN',
    `There is no model "${asked}" in the catalogue of local models.`,
    {
      remedy: `The models are ${models.map((each) => each.name).join(', ')}.`,
    },
  );
}

function changed(model: LocalModel, { context, sequences, tensorParallel }: PlanRequest): LocalModel {
  return {
    ...model,
    context: context ?? model.context,
    sequences: sequences ?? model.sequences,
    tensorParallel: tensorParallel ?? model.tensorParallel,
  };
}

async function subject(model: LocalModel, weights: string, measured: Calibrations): Promise<Subject> {
  const calibration = measured(model.name, model.tensorParallel);
  try {
    return { model, facts: await shapeOf(model, weights), calibration };
  } catch (error) {
    if (error instanceof AutocodeError) return { model, facts: error, calibration };
    throw error;
  }
}

const converted = (subject: Subject, precision: string): Subject =>
  'shape' in subject.facts
    ? {
        ...subject,
        model: { ...subject.model, dtype: precision },
        facts: { ...subject.facts, shape: inPrecision(subject.facts.shape, precision) },
      }
    : subject;
