// Why a model comes or goes, in the words that `model why` shows.
import { inUse } from './options.ts';
import { restedMs, type Standing, usableCards } from './standing.ts';
import type { Instance, Placement, ResidencyState } from './state.ts';

/** A replica that comes to a placement: loaded anew, or woken where it sleeps. */
export interface Arrival {
  standing: Standing;
  placement: Placement;
  woken?: Instance;
  replica?: number;
}

/** Why a model is loaded or woken. */
export function whyArrives(state: ResidencyState, arrival: Arrival): string {
  const { standing, placement, woken } = arrival;
  const { model } = standing.candidate;
  const done = `${model} is ${woken ? 'woken' : 'loaded'} on ${gpuNames(placement.gpus)}`;
  return `${done}: ${needOf(state, standing)}`;
}

/** Why a replica is put to sleep or unloaded, now or when its requests are done. */
export function whyLeaves(
  state: ResidencyState,
  standing: Standing,
  instance: Instance,
  after: 'asleep' | 'gone',
  arrivals: readonly Arrival[],
): string {
  const { model } = standing.candidate;
  const usable = usableCards(state);
  const lost = instance.placement.gpus.filter((gpu) => !usable.has(gpu));
  const done = `${model} is ${after === 'asleep' ? 'put to sleep' : 'unloaded'}`;
  if (lost.length > 0) return `${done}: ${gpuNames(lost)} cannot be used any more`;
  const others = arrivals.filter(
    ({ standing: { candidate }, placement }) =>
      candidate.model !== model && placement.gpus.some((gpu) => instance.placement.gpus.includes(gpu)),
  );
  const successors = others.map(
    ({ standing: other }) => `${other.candidate.model} ${needOf(state, other, 'is ')}`,
  );
  if (inUse(standing, instance)) {
    const whose = `it had its time, and ${successors.join(', and ')}`;
    const { inFlight } = instance;
    return inFlight === 0
      ? `${done}: ${whose}`
      : `${done} when ${requests(inFlight)} that it works on ${inFlight === 1 ? 'is' : 'are'} done: ${whose}`;
  }
  const idle = `idle for ${duration(restedMs(state, instance))}`;
  if (successors.length > 0) return `${done}: ${idle}, and ${successors.join(', and ')}`;
  const spare = standing.serving > standing.replicas && instance.state === 'ready';
  return `${done}: ${spare ? 'fewer replicas do for the requests that it gets' : idle}`;
}

/** What a model is needed for, as `waited for by 3 requests for 4 s`. */
function needOf(state: ResidencyState, standing: Standing, is = ''): string {
  const { candidate, instances, serving, waitedMs } = standing;
  const { waiting, load } = candidate;
  const usable = usableCards(state);
  const lost = instances.flatMap(({ placement }) => placement.gpus.filter((gpu) => !usable.has(gpu)));
  if (lost.length > 0) return `${is ? 'moves: ' : ''}${gpuNames([...new Set(lost)])} cannot be used any more`;
  if (waiting > 0) {
    const waited = `${is}waited for by ${requests(waiting)} for ${duration(waitedMs)}`;
    return serving > 0
      ? `${waited}, and its ${serving} replica${serving > 1 ? 's are' : ' is'} full`
      : waited;
  }
  if (serving > 0 && serving >= candidate.replicas.min) {
    return is ? 'needs another replica' : 'the GPUs of its replicas are busy';
  }
  return `${is}${load === 'on-demand' ? `meant to have ${candidate.replicas.min} replicas` : load}`;
}

function requests(count: number): string {
  return count === 1 ? '1 request' : `${count} requests`;
}

function gpuNames(gpus: readonly number[]): string {
  if (gpus.length === 0) return 'its own place';
  return gpus.length === 1 ? `GPU ${gpus[0]}` : `GPUs ${gpus.slice(0, -1).join(', ')} and ${gpus.at(-1)}`;
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
