// What the decision loop is shown: models, replicas and cards as plain data. Used by the loop.
import { totalmem } from 'node:os';
import type { Candidate, Instance, ResidencyState } from '../residency/state.ts';
import { rateOf } from './admission.ts';
import { placesOf, type Fleet, type Member, type Replica } from './fleet.ts';

/** Kept of a GPU by a vLLM that sleeps: its CUDA context and what it allocates beside the weights. */
const ASLEEP_MIB = 1_100;
/** Share of the machine's memory that models asleep may take. */
const HOST_SHARE = 0.5;
const MIB = 1024 * 1024;

/** The state of the fleet at this moment. */
export function outlook(fleet: Fleet, now: number): ResidencyState {
  const { residencySeconds, waitSeconds } = fleet.settings;
  const members = [...fleet.members.values()];
  const utilisation = new Map(fleet.gpus.gpus().map((gpu) => [gpu.index, gpu.utilisation]));
  return {
    now,
    cards: fleet.gpus.cards(),
    candidates: members.map((member) => candidate(member, now)),
    instances: [...members, ...fleet.strangers].flatMap((member) =>
      member.replicas.map((replica) => instance(member, replica, utilisation)),
    ),
    hostMib: Math.floor((totalmem() / MIB) * HOST_SHARE),
    residencyMs: residencySeconds * 1000,
    longestWaitMs: (waitSeconds * 1000) / 2, // the rest of its patience is for the load
  };
}

function candidate(member: Member, now: number): Candidate {
  const { model, waiting, wanted, load, loadMs, wakeMs, notBefore } = member;
  const oldest = [waiting[0]?.since, wanted?.since].filter((since) => since !== undefined);
  return {
    model: model.name,
    placements: member.placements,
    asleepMib: ASLEEP_MIB,
    asleepHostMib: model.sleepLevel === 1 ? Math.ceil(member.weightsBytes / MIB) : 0,
    load,
    sleepLevel: model.engine === 'vllm' ? model.sleepLevel : 0,
    idleMs: model.idleSeconds * 1000,
    loadMs,
    wakeMs: Math.min(wakeMs, loadMs / 2), // it does less; how long it takes is known after the first time
    replicas: model.engine === 'vllm' ? model.replicas : { min: 1, max: 1 }, // the others spread over replicas themselves
    notBefore,
    rate: rateOf(member, now),
    sequences: placesOf(model),
    waiting: waiting.length + (wanted === null ? 0 : 1),
    oldest: oldest.length === 0 ? null : Math.min(...oldest),
  };
}

function instance(
  { model }: Member,
  { index, state, becomes, placement, inFlight, since, usedAt }: Replica,
  utilisation: ReadonlyMap<number, number | null>,
): Instance {
  const busy = placement.gpus.map((gpu) => utilisation.get(gpu)).filter((share) => typeof share === 'number');
  return {
    model: model.name,
    replica: index,
    state,
    ...(becomes === undefined ? {} : { becomes }),
    placement,
    inFlight,
    since,
    usedAt,
    ...(busy.length === 0 ? {} : { utilisation: Math.max(...busy) }),
  };
}
