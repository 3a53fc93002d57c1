// The supervisor of the models that the appliance runs itself: adopts what runs, decides what shall, lets requests in.
// Started by main.ts in the gateway's process, which alone owns the engines.
import { setTimeout as delay } from 'node:timers/promises';
import type { LocalModel, ManagedEngineKind } from '../../../protocol/local-model.ts';
import type { Database } from '../../db/connect.ts';
import { onNotify } from '../../db/notifications.ts';
import type { ManagedEngine } from '../engine/managed.ts';
import { decide } from '../residency/decide.ts';
import type { Supervisor } from './acquired.ts';
import { acquire, refuseWaiting, stopped } from './admission.ts';
import { adopt } from './adopt.ts';
import { CHANNEL } from './commands.ts';
import { newMember, pidsOf, type Fleet, type FleetLog, type GpuView } from './fleet.ts';
import { loadTimes } from './instances.ts';
import { turns } from './loop.ts';
import { keepCatalogue } from './members.ts';
import { planner } from './planning.ts';

export interface SupervisorParts {
  db: Database;
  log: FleetLog;
  settings: Fleet['settings'];
  models: readonly LocalModel[];
  /** Directory of the weights. */
  weights: string;
  engineOf(kind: ManagedEngineKind): ManagedEngine;
  /** Whether an engine runs on GPUs of other machines, which it places models on itself. */
  elsewhere(kind: ManagedEngineKind): boolean;
  /** Starts to watch the GPUs; `own` gives the processes of engines. */
  watchGpus(own: () => ReadonlySet<number>): GpuView & { stop(): Promise<void> };
}

const EVERY_MS = 1_000;
/** So that requests that come and go do not keep the loop busy. */
const PAUSE_MS = 20;
/** The first look at the GPUs is waited for: without it no model would have a place. */
const FIRST_LOOK_MS = 10_000;
const STOP_MS = 2_000;

/** Starts it; engines that ran before are adopted when it resolves. */
export async function startSupervisor(parts: SupervisorParts): Promise<Supervisor> {
  const { db, log, settings, models, weights, engineOf } = parts;
  const stopping = new AbortController();
  const times = await loadTimes(db);
  const beside = new Set<Promise<void>>();
  let next = Promise.withResolvers<void>();
  let asked = true;
  const gpus = parts.watchGpus(
    () =>
      new Set([...members.values()].flatMap(({ replicas }) => replicas.flatMap((each) => [...pidsOf(each)]))),
  );
  const members = new Map(models.map((model) => [model.name, newMember(model, times.get(model.name))]));
  const fleet: Fleet = {
    db,
    log,
    settings,
    weights,
    members,
    strangers: [],
    engineOf,
    gpus,
    stopping: stopping.signal,
    poke: () => next.resolve(),
    beside(what, work) {
      const done = work()
        .catch((error: unknown) => {
          if (!stopping.signal.aborted) log.warn(`${what} did not go well`, { error });
        })
        .finally(() => {
          beside.delete(done);
          fleet.poke();
        });
      beside.add(done);
    },
  };
  await keepCatalogue(db, models);
  await adopt(fleet);
  const silence = await onNotify(db, CHANNEL, () => {
    asked = true;
    fleet.poke();
  });
  const turn = turns(fleet, {
    decide,
    asked: () => {
      const was = asked;
      asked = false;
      return was;
    },
    plan: planner(fleet, parts.elsewhere),
  });
  const pause = async (ms: number) => await delay(ms, undefined, { signal: stopping.signal }).catch(() => {});
  const running = (async () => {
    if (gpus.cards().length === 0) await Promise.race([gpus.changed(), pause(FIRST_LOOK_MS)]);
    while (!stopping.signal.aborted) {
      next = Promise.withResolvers();
      await turn().catch((error: unknown) => {
        if (!stopping.signal.aborted) log.warn('models could not be looked after', { error });
      });
      await pause(PAUSE_MS);
      await Promise.race([next.promise, pause(EVERY_MS)]);
    }
  })();
  return {
    models,
    acquire: (model, options) => acquire(fleet, model, options),
    async stop() {
      stopping.abort();
      silence();
      for (const member of members.values()) refuseWaiting(member, stopped(member));
      await running;
      await Promise.race([Promise.all(beside), delay(STOP_MS)]);
      await gpus.stop();
    },
  };
}
