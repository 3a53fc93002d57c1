// The trace of requests for models in `model-trace.csv`: 32 sessions of coding agents, begun within four hours, as
// `session,gap_ms,model,service_ms`; a gap is the time since the answer before it, or since the beginning. Run by itself this
// writes such a trace anew, from its seed. Used by the benchmark of models.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readLocalCatalogue } from '../../orchestrator/models/local-catalogue.ts';
import type { Session, SimulatedModel } from '../../orchestrator/models/residency/testing/simulated.ts';
import { placementsOf } from '../../orchestrator/models/vram/placements.ts';

const SEED = 7;
const HOURS = 4;
export const CARDS = [0, 1].map((index) => ({ index, totalMib: 24_564, foreignMib: 0, usable: true }));
const ASLEEP_MIB = 1_100;

/** The shipped catalogue on two cards, with the planner's memory. Loads take 30 to 100 s, wakings 0.1 to 6 s, by weights. */
export function catalogueModels(): SimulatedModel[] {
  return readLocalCatalogue(join(import.meta.dirname, '../../config/models.yaml')).map((entry) => {
    const { name, load, sleepLevel, idleSeconds, replicas, sequences } = entry;
    const gib = entry.shape!.weightsBytes / 2 ** 30;
    return {
      model: name,
      placements: placementsOf(entry, entry.shape!, CARDS),
      asleepMib: ASLEEP_MIB,
      asleepHostMib: sleepLevel === 1 ? Math.ceil(gib * 1024) : 0,
      load,
      sleepLevel,
      idleMs: idleSeconds * 1000,
      loadMs: 30_000 + Math.min(70_000, 3_500 * gib),
      wakeMs: 100 + Math.min(5_900, 300 * gib),
      replicas,
      sequences,
    };
  });
}

/** The sessions of the recorded trace. */
export function recordedSessions(): Session[] {
  const lines = readFileSync(join(import.meta.dirname, 'model-trace.csv'), 'utf8')
    .trim()
    .split('\n')
    .slice(1);
  const sessions: { gapMs: number; model: string; serviceMs: number }[][] = [];
  for (const line of lines) {
    const [session, gap, model, service] = line.split(',');
    const requests = (sessions[Number(session)] ??= []);
    requests.push({ gapMs: Number(gap), model: model!, serviceMs: Number(service) });
  }
  return sessions;
}

/** A task as agents do it: files are embedded, a reasoner plans, a coder works in bursts with tools between, a small one titles. */
function* session(random: () => number): Generator<[gapMs: number, model: string, serviceMs: number]> {
  const between = (least: number, most: number) => Math.round(least + random() * (most - least));
  const coder = random() < 0.45 ? 'qwen2.5-coder-32b' : random() < 0.6 ? 'qwen2.5-coder-14b' : 'gpt-oss-20b';
  yield [between(0, HOURS * 3_600_000), 'qwen2.5-coder-1.5b', between(400, 1_500)];
  if (random() < 0.6)
    for (let left = between(3, 12); left > 0; left -= 1)
      yield [between(20, 200), 'qwen3-embedding-0.6b', between(50, 300)];
  if (random() < 0.5)
    for (let left = between(1, 3); left > 0; left -= 1)
      yield [between(500, 4_000), 'deepseek-r1-distill-qwen-32b', between(20_000, 80_000)];
  for (let bursts = between(1, 3); bursts > 0; bursts -= 1) {
    for (let left = between(8, 25); left > 0; left -= 1)
      yield [between(500, 8_000), coder, between(3_000, 25_000)];
    if (random() < 0.5) yield [between(200, 2_000), 'qwen2.5-coder-7b', between(1_000, 6_000)];
    if (random() < 0.2)
      yield [between(1_000, 5_000), 'deepseek-r1-distill-qwen-32b', between(20_000, 60_000)];
    yield [between(20_000, 120_000), 'qwen2.5-coder-1.5b', between(400, 1_500)];
  }
}

/** Numbers from 0 to 1 that are the same for the same seed. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

if (import.meta.main) {
  const random = generator(SEED);
  console.log('session,gap_ms,model,service_ms');
  for (let index = 0; index < 32; index += 1) {
    for (const [gap, model, service] of session(random)) console.log(`${index},${gap},${model},${service}`);
  }
}
