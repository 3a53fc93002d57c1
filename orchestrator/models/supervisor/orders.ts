// Commands of people, done step by step with each turn of the loop until they are answered.
import type { ModelCommand } from '../../../protocol/local-model.ts';
import type { Placement } from '../residency/state.ts';
import { standing } from './admission.ts';
import type { Answer } from './commands.ts';
import { gpuWords, type Fleet, type Member, type Replica } from './fleet.ts';
import { stopLoading } from './load.ts';
import { sleep, unload } from './unload.ts';

/** How long an unload or a sleep waits for requests to end. */
const DRAIN_MS = 30_000;
/** And how long for the engine after that: vLLM ends within 20 s, an application of Ray within 60 s or it is told. */
const ENDS_MS = 90_000;

/** A command as it was first seen here: the database's clock may be another one. */
export interface Order extends Pick<ModelCommand, 'model' | 'action' | 'actor'> {
  isNew: boolean;
  since: number;
}

/** One step of a command. */
export function step(fleet: Fleet, member: Member, order: Order): Answer {
  switch (order.action) {
    case 'load':
      return stepLoad(fleet, member, order);
    case 'wake':
      return stepWake(fleet, member, order);
    case 'unload':
      return stepDown(fleet, member, order);
    case 'sleep':
      return stepSleep(fleet, member, order);
  }
}

function stepLoad(fleet: Fleet, member: Member, order: Order): Answer {
  const now = Date.now();
  if (order.isNew) member.load = member.model.load; // pinned again after an unload
  const ready = readyOf(member);
  if (ready !== undefined) {
    const took = Math.round((now - order.since) / 1000);
    const where = gpuWords(ready.placement.gpus);
    return done(order.isNew ? `It is ready on ${where} already.` : `Ready on ${where} after ${took} s.`);
  }
  const failure =
    member.trouble ??
    (member.lastFailure !== null && member.lastFailure.at >= order.since ? member.lastFailure : null);
  if (failure !== null && !member.replicas.some(({ state }) => state === 'loading')) {
    member.wanted = null;
    return failed(`It could not be loaded: ${failure.problem}`, failure.remedy);
  }
  const { loadSeconds, waitSeconds } = fleet.settings;
  if (now - order.since > (loadSeconds + waitSeconds) * 1000) {
    member.wanted = null;
    return failed(
      `It ${standing(member, now)} after ${Math.round((now - order.since) / 1000)} s.`,
      `See \`autocode model why ${order.model}\`.`,
    );
  }
  if (order.isNew && now < member.notBefore) member.notBefore = 0; // people need not wait for a pause after failures
  member.wanted ??= { since: now, until: Infinity };
  return waiting(waitingFor(fleet, member));
}

function stepWake(fleet: Fleet, member: Member, order: Order): Answer {
  if (readyOf(member) !== undefined) return done(order.isNew ? 'It is awake already.' : 'Awake.');
  if (!order.isNew || member.replicas.some(({ state }) => state === 'asleep' || state === 'loading'))
    return stepLoad(fleet, member, order);
  return failed('It is not loaded.', `Load it: \`autocode model load ${order.model}\`.`);
}

function stepDown(fleet: Fleet, member: Member, order: Order): Answer {
  if (order.isNew) letGo(member);
  if (member.replicas.length === 0)
    return done(order.isNew ? 'It is not loaded.' : `Unloaded.${unpinned(member)}`);
  const answer = stillBusy(member, order) ?? staysOn(order, 'end');
  if (answer !== undefined) return answer;
  for (const replica of member.replicas) {
    const reason = `${order.actor} asked for it`;
    stopLoading(replica, reason);
    if (!replica.busy) {
      fleet.beside(`unloading ${order.model}`, () => unload(fleet, member, replica, { reason }));
    }
  }
  return waiting('It is being unloaded.');
}

function stepSleep(fleet: Fleet, member: Member, order: Order): Answer {
  const { model, replicas } = member;
  if (model.engine !== 'vllm' || model.sleepLevel === 0)
    return failed(
      model.engine === 'vllm' ? 'Its sleepLevel is 0.' : `Its engine (${model.engine}) has no sleep.`,
      `Unload it: \`autocode model unload ${order.model}\`.`,
    );
  if (order.isNew) letGo(member);
  if (replicas.length === 0)
    return failed(
      order.isNew ? 'It is not loaded.' : 'It could not be put to sleep and was unloaded.',
      `See \`autocode model why ${order.model}\`.`,
    );
  if (replicas.every(({ state }) => state === 'asleep'))
    return done(order.isNew ? 'It is asleep already.' : `Asleep.${unpinned(member)}`);
  const answer = stillBusy(member, order) ?? staysOn(order, 'go to sleep');
  if (answer !== undefined) return answer;
  for (const replica of replicas) {
    if (replica.busy || replica.state !== 'ready') continue;
    const reason = `${order.actor} asked for it`;
    fleet.beside(`putting ${order.model} to sleep`, () => sleep(fleet, member, replica, { reason }));
  }
  return waiting('It is being put to sleep.');
}

// Until the next start, or until somebody asks to load it, it comes back only for requests.
function letGo(member: Member): void {
  member.load = 'on-demand';
  member.wanted = null;
}

const unpinned = ({ model }: Member) =>
  model.load === 'on-demand'
    ? ''
    : ` It is not ${model.load} until it is loaded again or the daemon starts anew.`;

/** Requests in flight are waited for, and no new ones let in; undefined when there are none left. */
function stillBusy({ replicas }: Member, { since }: Order): Answer | undefined {
  const inFlight = replicas.reduce((sum, replica) => sum + replica.inFlight, 0);
  if (inFlight === 0) return undefined;
  const left = DRAIN_MS - (Date.now() - since);
  const requests = inFlight === 1 ? '1 request is' : `${inFlight} requests are`;
  for (const replica of replicas) replica.held = left > 0;
  return left > 0
    ? waiting(`${requests} in flight; new ones wait.`)
    : failed(
        `${requests} still in flight after ${DRAIN_MS / 1000} s.`,
        'Wait until they have ended, or cancel their runs, and ask again.',
      );
}

/** That its engine does not do it in its time; what was begun goes on, and the memory counts as taken until then. */
function staysOn({ model, since }: Order, what: string): Answer | undefined {
  const waited = Date.now() - since;
  if (waited <= DRAIN_MS + ENDS_MS) return undefined;
  return failed(
    `Its engine does not ${what}: it was waited for ${Math.round(waited / 1000)} s.`,
    `It is tried again, and \`autocode model why ${model}\` tells when it has ended.`,
  );
}

function waitingFor(fleet: Fleet, member: Member): string {
  const loading = member.replicas.find(({ state }) => state === 'loading');
  if (loading !== undefined)
    return `It is being loaded on ${gpuWords(loading.placement.gpus)}${loading.detail === '' ? '' : `: ${loading.detail}`}`;
  const [least] = member.placements
    .map((placement) => lacksAt(fleet, placement))
    .toSorted((a, b) => sum(a) - sum(b));
  if (least === undefined) return 'It waits for a place.';
  const going = [...fleet.members.values()].filter(({ replicas }) =>
    replicas.some(({ state }) => state === 'stopping'),
  );
  const words = going.length === 0 ? '' : `; ${going.map(({ model }) => model.name).join(', ')} is unloaded`;
  const short = least.map(({ gpu, mib }) => `${(mib / 1024).toFixed(1)} GiB on GPU ${gpu}`);
  return short.length === 0 ? 'It is about to be loaded.' : `It waits for ${short.join(', ')}${words}.`;
}

/** What is missing at a placement, a GPU. */
function lacksAt(fleet: Fleet, { gpus, mib }: Placement): { gpu: number; mib: number }[] {
  return gpus.map((gpu) => ({ gpu, mib: mib - freeOn(fleet, gpu) })).filter((lack) => lack.mib > 0);
}

const sum = (lacks: { mib: number }[]) => lacks.reduce((total, { mib }) => total + mib, 0);

function freeOn(fleet: Fleet, gpu: number): number {
  const card = fleet.gpus.cards().find(({ index }) => index === gpu);
  const taken = [...fleet.members.values(), ...fleet.strangers]
    .flatMap(({ replicas }) => replicas)
    .reduce((sum, { placement }) => sum + (placement.gpus.includes(gpu) ? placement.mib : 0), 0);
  return card === undefined ? 0 : card.totalMib - card.foreignMib - taken;
}

function readyOf({ replicas }: Member): Replica | undefined {
  return replicas.find(({ state, draining, held }) => state === 'ready' && !draining && !held);
}

const done = (detail: string): Answer => ({ state: 'done', detail });
const waiting = (detail: string): Answer => ({ state: 'waiting', detail });
const failed = (detail: string, remedy: string | null): Answer => ({ state: 'failed', detail, remedy });
