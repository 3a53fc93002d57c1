// Letting requests in: a place at the least busy replica, or a wait for one that is ready. In memory alone, since every
// request for a local model passes here once. Used by supervisor.ts for the gateway.
import { AutocodeError } from '../../../protocol/errors.ts';
import type { Acquired, AcquireOptions } from './acquired.ts';
import { gpuWords, placesOf, type Fleet, type Member, type Replica } from './fleet.ts';

/** So long a model stays wanted by a request that did not wait for it. */
const WANTED_MS = 60_000;
/** A pause before the next try that is worth waiting for. */
const HOPE_MS = 20_000;
const RATE_MS = 5 * 60_000;
const RETRY_SECONDS = 15;

/** A place at a replica of the model; waits for one as long as the options and the settings allow. */
export async function acquire(
  fleet: Fleet,
  name: string,
  { wait, signal }: AcquireOptions,
): Promise<Acquired> {
  const member = fleet.members.get(name);
  if (member === undefined) throw unknownModel(name, [...fleet.members.keys()]);
  signal.throwIfAborted();
  const now = Date.now();
  countRequest(member, now);
  const replica = member.waiting.length === 0 ? freeReplica(member) : undefined;
  if (replica !== undefined) return place(fleet, member, replica);
  const hopeless = whyNot(member, now);
  if (hopeless !== undefined) throw hopeless;
  if (fleet.stopping.aborted) throw stopped(member);
  if (wait) return await waitForPlace(fleet, member, signal);
  member.wanted = { since: member.wanted?.since ?? now, until: now + WANTED_MS };
  fleet.poke();
  throw busy(member, standing(member, now));
}

/** Hands places that came free to those who wait, the oldest first. */
export function serve(fleet: Fleet, member: Member): void {
  for (;;) {
    const replica = freeReplica(member);
    const next = replica === undefined ? undefined : member.waiting.shift();
    if (replica === undefined || next === undefined) return;
    next.admit(place(fleet, member, replica));
  }
}

/** Turns away all who wait for a model. */
export function refuseWaiting(member: Member, error: Error): void {
  for (const waiter of member.waiting.splice(0)) waiter.refuse(error);
}

/** Why requests for a model are refused without a wait; undefined when there is hope. */
export function whyNot(member: Member, now: number): AutocodeError | undefined {
  const name = `local/${member.model.name}`;
  if (member.replicas.some(({ state }) => state !== 'stopping')) return undefined;
  if (member.trouble !== null) {
    return new AutocodeError(
      'ERR_ENGINE_UNAVAILABLE',
      `${name} cannot be loaded: ${member.trouble.problem}`,
      member.trouble.remedy === null ? {} : { remedy: member.trouble.remedy },
    );
  }
  const pause = member.notBefore - now;
  if (pause <= 0 || member.lastFailure === null) return undefined;
  if (member.wanted !== null && pause <= HOPE_MS) return undefined; // it is about to be started anew
  const seconds = Math.ceil(pause / 1000);
  return new AutocodeError(
    'ERR_ENGINE_UNAVAILABLE',
    `${name} could not be run: ${member.lastFailure.problem}`,
    {
      remedy: `${member.lastFailure.remedy ?? `See \`autocode model logs ${member.model.name}\`.`} It is tried again in ${seconds} s.`,
      details: { retryAfter: seconds },
    },
  );
}

/** Where a model stands on its way to being ready, in words. */
export function standing({ replicas, model }: Member, now: number): string {
  const loading = replicas.find(({ state }) => state === 'loading');
  if (loading !== undefined)
    return `is being loaded on ${gpuWords(loading.placement.gpus)} since ${Math.round((now - loading.since) / 1000)} s${loading.detail === '' ? '' : ` (${loading.detail})`}`;
  const ready = replicas.filter(({ state, draining, held }) => state === 'ready' && !draining && !held);
  if (ready.length > 0) return `has as many requests as it takes (${placesOf(model) * ready.length})`;
  if (replicas.some(({ state }) => state === 'asleep')) return 'is being woken';
  return 'is not loaded; it is its turn as soon as there is room';
}

/** The refusal of a name that the catalogue does not have. */
export function unknownModel(name: string, known: readonly string[]): AutocodeError {
  return new AutocodeError('ERR_MODEL_UNKNOWN', `The appliance has no model "${name}".`, {
    remedy:
      known.length === 0
        ? 'Set models.local in the configuration, and put models into its catalogue (docs/models.md).'
        : `Its models are ${known.join(', ')}.`,
  });
}

function freeReplica({ replicas, model }: Member): Replica | undefined {
  let free: Replica | undefined;
  for (const replica of replicas) {
    if (replica.state !== 'ready' || replica.draining || replica.held || replica.doubted) continue;
    if (replica.inFlight >= placesOf(model)) continue;
    if (free === undefined || replica.inFlight < free.inFlight) free = replica;
  }
  return free;
}

function place(fleet: Fleet, member: Member, replica: Replica): Acquired {
  const handle = replica.handle!; // a ready replica was started
  replica.inFlight++;
  replica.usedAt = member.usedAt = Date.now();
  member.wanted = null;
  let given = false;
  return {
    url: handle.endpoint,
    served: handle.served,
    gpus: replica.placement.gpus.length,
    failed() {
      replica.doubted = true;
      replica.look();
    },
    release() {
      if (given) return;
      given = true;
      replica.inFlight--;
      replica.usedAt = member.usedAt = Date.now();
      serve(fleet, member);
      if (replica.inFlight === 0 && isAwaited(fleet, replica)) fleet.poke();
    },
  };
}

// Whether somebody may have waited for the replica to be idle; else the loop is spared a turn for each request.
function isAwaited({ members }: Fleet, { draining, held }: Replica): boolean {
  return draining || held || [...members.values()].some(({ waiting }) => waiting.length > 0);
}

function waitForPlace(fleet: Fleet, member: Member, signal: AbortSignal): Promise<Acquired> {
  const since = Date.now();
  return new Promise((resolve, reject) => {
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', gone);
    };
    const waiter = {
      since,
      admit: (acquired: Acquired) => (settle(), resolve(acquired)),
      refuse: (error: Error) => (settle(), reject(error)),
    };
    const leave = (error: Error) => {
      const at = member.waiting.indexOf(waiter);
      if (at >= 0) member.waiting.splice(at, 1);
      waiter.refuse(error);
    };
    const gone = () =>
      leave(signal.reason instanceof Error ? signal.reason : new Error('the client is gone'));
    const timer = setTimeout(
      () =>
        leave(
          busy(member, `${standing(member, Date.now())}, and was waited for ${fleet.settings.waitSeconds} s`),
        ),
      fleet.settings.waitSeconds * 1000,
    );
    signal.addEventListener('abort', gone, { once: true });
    member.waiting.push(waiter);
    fleet.poke();
  });
}

function busy({ model }: Member, why: string): AutocodeError {
  return new AutocodeError('ERR_ENGINE_BUSY', `local/${model.name} ${why}.`, {
    remedy: `Send the request again in ${RETRY_SECONDS} s; \`autocode model why ${model.name}\` tells what is done.`,
    details: { retryAfter: RETRY_SECONDS },
  });
}

/** The refusal of requests that wait while the daemon ends. */
export function stopped({ model }: Pick<Member, 'model'>): AutocodeError {
  return new AutocodeError(
    'ERR_ENGINE_UNAVAILABLE',
    `The gateway stops while local/${model.name} is waited for.`,
    {
      remedy: 'Send the request again when it is back.',
    },
  );
}

// A rate that forgets: each request counts for some minutes, ever less.
function countRequest(member: Member, now: number): void {
  member.rate = { value: rateOf(member, now) + 60_000 / RATE_MS, at: now };
}

/** Requests a minute of late. */
export function rateOf({ rate }: Pick<Member, 'rate'>, now: number): number {
  return rate.value * Math.exp(-(now - rate.at) / RATE_MS);
}
