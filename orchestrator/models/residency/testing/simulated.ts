// An appliance in simulated time: requests of sessions, cards, engines that take their time to load, wake, sleep and end. Asks a
// policy what to do as the supervisor asks `decide`. Used by the tests beside the loop and by the benchmark of models.
import type { Candidate, Card, Decision, Instance, ResidencyState } from '../state.ts';

export type SimulatedModel = Omit<Candidate, 'notBefore' | 'rate' | 'waiting' | 'oldest'>;

/** Requests of one agent, each made `gapMs` after the answer to the one before it, the first one so long after the beginning. */
export type Session = readonly { gapMs: number; model: string; serviceMs: number }[];

export interface Policy {
  decide(state: ResidencyState): Decision[];
  /** No request goes before one that came earlier, though its own model is there. */
  inOrder?: boolean;
}

/** Something that happens to the machine: a card is lost or back, a stranger takes memory, an engine dies. */
export type Mishap = { at: number } & ({ card: Card } | { crash: string });

export interface Simulated {
  cards: readonly Card[];
  models: readonly SimulatedModel[];
  sessions: readonly Session[];
  mishaps?: readonly Mishap[];
  residencyMs?: number;
  longestWaitMs?: number;
  hostMib?: number;
  /** Given up then. */
  untilMs: number;
}

export interface Outcome {
  /** Of each request that was answered, in the order of their answers: how long it waited for its model. */
  waits: { model: string; waitedMs: number }[];
  unanswered: number;
  loads: number;
  wakes: number;
  decisions: { at: number; decision: Decision }[];
  /** Steps that took more of a card than there was. */
  overcommitted: string[];
}

interface Waiting {
  at: number;
  session: number;
  step: number;
}

const STOP_MS = 3_000;
const SLEEP_MS = 2_000;
const RATE_WINDOW_MS = 120_000;

/** Runs the sessions to their end, or to `untilMs`. */
export function simulate(simulated: Simulated, policy: Policy): Outcome {
  const { models, sessions } = simulated;
  const { residencyMs = 60_000, longestWaitMs = 60_000, hostMib = 64_000 } = simulated;
  const cards = simulated.cards.map((card) => ({ ...card }));
  const queues = new Map(models.map(({ model }) => [model, [] as Waiting[]]));
  const arrived = new Map(models.map(({ model }) => [model, [] as number[]]));
  const events: { at: number; order: number; happen: () => void }[] = [];
  let instances: (Instance & { epoch: number })[] = [];
  let draining = new Set<string>();
  let now = 0;
  let order = 0;
  let open = sessions.reduce((sum, session) => sum + session.length, 0);
  const outcome: Outcome = {
    waits: [],
    unanswered: 0,
    loads: 0,
    wakes: 0,
    decisions: [],
    overcommitted: [],
  };

  const after = (ms: number, happen: () => void) => {
    const event = { at: now + ms, order: (order += 1), happen };
    let at = events.length;
    while (at > 0 && events[at - 1]!.at > event.at) at -= 1;
    events.splice(at, 0, event);
  };
  const ask = (session: number, step: number) => {
    const request = sessions[session]![step];
    if (request === undefined) return;
    after(request.gapMs, () => {
      queues.get(request.model)!.push({ at: now, session, step });
      arrived.get(request.model)!.push(now);
    });
  };
  const modelOf = (name: string) => models.find(({ model }) => model === name)!;
  const at = (model: string, replica: number) =>
    instances.find((instance) => instance.model === model && instance.replica === replica);

  const stateNow = (): ResidencyState => ({
    now,
    cards,
    instances,
    hostMib,
    residencyMs,
    longestWaitMs,
    candidates: models.map((model) => {
      const queue = queues.get(model.model)!;
      const times = arrived.get(model.model)!;
      while (times.length > 0 && times[0]! < now - RATE_WINDOW_MS) times.shift();
      const rate = times.length / (RATE_WINDOW_MS / 60_000);
      return { ...model, notBefore: 0, rate, waiting: queue.length, oldest: queue[0]?.at ?? null };
    }),
  });

  const admit = () => {
    for (;;) {
      const heads = [...queues].filter(([, queue]) => queue.length > 0);
      heads.sort(([, a], [, b]) => a[0]!.at - b[0]!.at);
      const first = (policy.inOrder ? heads.slice(0, 1) : heads).find(([model]) => freeReplica(model));
      if (first === undefined) return;
      const [model, queue] = first;
      serve(freeReplica(model)!, queue.shift()!);
    }
  };
  const freeReplica = (name: string) => {
    const free = instances.filter(
      ({ model, replica, state, inFlight }) =>
        model === name &&
        state === 'ready' &&
        inFlight < modelOf(name).sequences &&
        !draining.has(`${model}/${replica}`),
    );
    return free.sort((a, b) => a.inFlight - b.inFlight)[0];
  };
  const serve = (instance: Instance & { epoch: number }, { at: since, session, step }: Waiting) => {
    instance.inFlight += 1;
    instance.usedAt = now;
    outcome.waits.push({ model: instance.model, waitedMs: now - since });
    after(sessions[session]![step]!.serviceMs, () => {
      instance.inFlight -= 1;
      instance.usedAt = now;
      open -= 1;
      ask(session, step + 1);
    });
  };

  /** Changes an instance now, and once more after a time, unless something else has become of it meanwhile. */
  const become = (
    instance: Instance & { epoch: number },
    state: Instance['state'],
    ms = 0,
    then?: () => void,
  ) => {
    instance.state = state;
    instance.since = now;
    const epoch = (instance.epoch += 1);
    if (then) {
      after(ms, () => {
        if (instance.epoch === epoch && instances.includes(instance)) then();
      });
    }
  };
  const remove = (instance: Instance) => (instances = instances.filter((other) => other !== instance));
  const check = (what: string, gpus: readonly number[]) => {
    for (const { index, totalMib, foreignMib, usable } of cards) {
      if (!gpus.includes(index)) continue;
      const held = instances
        .filter(({ placement }) => placement.gpus.includes(index))
        .map(({ model, state, placement: { mib } }) =>
          state === 'asleep' ? Math.min(mib, modelOf(model).asleepMib) : mib,
        );
      if (!usable || held.reduce((sum, mib) => sum + mib, 0) > totalMib - foreignMib) {
        outcome.overcommitted.push(`${now}: ${what} on GPU ${index}`);
      }
    }
  };

  const act = (decision: Decision) => {
    const { action, model, replica } = decision;
    const instance = at(model, replica);
    if (action === 'drain') return;
    if (action === 'load') {
      const { placement } = decision;
      if (instance) throw new Error(`${model}/${replica} is there already`);
      const made = {
        model,
        replica,
        state: 'loading' as const,
        placement,
        inFlight: 0,
        since: now,
        usedAt: now,
        epoch: 0,
      };
      instances = [...instances, made];
      outcome.loads += 1;
      check(`${model} is loaded`, placement.gpus);
      become(made, 'loading', modelOf(model).loadMs, () => become(made, 'ready'));
      return;
    }
    if (!instance) throw new Error(`${model}/${replica} is not there to ${action}`);
    if (action === 'wake') {
      outcome.wakes += 1;
      become(instance, 'loading', modelOf(model).wakeMs, () => become(instance, 'ready'));
      check(`${model} is woken`, instance.placement.gpus);
    } else if (action === 'sleep') {
      instance.becomes = 'asleep';
      become(instance, 'stopping', SLEEP_MS, () => {
        delete instance.becomes;
        become(instance, 'asleep');
      });
    } else {
      become(instance, 'stopping', STOP_MS, () => remove(instance));
    }
  };

  const settle = () => {
    admit();
    const decisions = policy.decide(stateNow());
    draining = new Set(
      decisions.filter(({ action }) => action === 'drain').map(({ model, replica }) => `${model}/${replica}`),
    );
    for (const decision of decisions) {
      if (decision.action !== 'drain') outcome.decisions.push({ at: now, decision });
      act(decision);
    }
    admit();
  };
  const tick = () => {
    if (open === 0) return;
    const waits = [...queues.values()].some((queue) => queue.length > 0);
    after(waits ? 1_000 : 15_000, tick);
  };

  sessions.forEach((_, session) => ask(session, 0));
  for (const mishap of simulated.mishaps ?? []) {
    after(mishap.at, () => {
      if ('card' in mishap)
        Object.assign(
          cards.find(({ index }) => index === mishap.card.index)!,
          mishap.card,
        );
      else
        instances.filter(({ model, inFlight }) => model === mishap.crash && inFlight === 0).forEach(remove);
    });
  }
  tick();
  while (events.length > 0 && open > 0) {
    const event = events.shift()!;
    if (event.at > simulated.untilMs) break;
    now = event.at;
    event.happen();
    while (events[0]?.at === now) events.shift()!.happen();
    settle();
  }
  outcome.unanswered = open;
  return outcome;
}
