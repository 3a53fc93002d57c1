// A supervisor over real engine processes on cards that are files, with a database of its own. Used by the tests beside.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type {
  LocalModel,
  LocalModelStatus,
  ModelAction,
  ModelCommand,
} from '../../../../protocol/local-model.ts';
import { testDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import { stopListening } from '../../../db/notifications.ts';
import { vllmEngine } from '../../engine/vllm.ts';
import { startGpuWatch } from '../../gpu/watch.ts';
import type { Acquired, Supervisor } from '../acquired.ts';
import { createCommand, getCommand } from '../commands.ts';
import { listDecisions } from '../decisions.ts';
import { listLocalModels } from '../members.ts';
import { startSupervisor } from '../supervisor.ts';
import { CARD_MIB, ENGINE_PROGRAM, localModelsRig, type LocalModelsRig } from './local-models.ts';

export interface Supervised extends LocalModelsRig {
  db: TestDatabase;
  supervisor: Supervisor;
  /** Ends this one and starts another, as a new daemon does. */
  restart(between?: () => Promise<unknown>): Promise<void>;
  acquire(model: string, signal?: AbortSignal): Promise<Acquired>;
  model(name: string): Promise<LocalModelStatus>;
  /** Waits until the model is so. */
  until(name: string, state: LocalModelStatus['state']): Promise<LocalModelStatus>;
  command(model: string, action: ModelAction): Promise<ModelCommand>;
  /** The same, until it is answered. */
  ordered(model: string, action: ModelAction): Promise<ModelCommand>;
  /** Waits until a line of actions and outcomes is as `load: ready after 1 s`. */
  decided(model: string, line: RegExp): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const SETTINGS = { loadSeconds: 20, waitSeconds: 20, residencySeconds: 0, stuckSeconds: 60 };

/** Starts one; all of it is gone when it is disposed. */
export async function supervised(
  entries: (Partial<LocalModel> & { name: string })[],
  options: { cards?: number; nvidiaSmi?: string; settings?: Partial<typeof SETTINGS> } = {},
): Promise<Supervised> {
  const db = await testDatabase();
  const directory = await mkdtemp(path.join(tmpdir(), 'autocode-models-'));
  const rig = localModelsRig(directory, entries);
  const warn = () => {};
  const { cards = 1, nvidiaSmi } = options;
  const declared = Array.from({ length: cards }, () => ({ name: 'Card', totalMib: CARD_MIB }));
  const seen = nvidiaSmi === undefined ? { nvidiaSmi: '', gpus: declared } : { nvidiaSmi, gpus: undefined };
  const engine = () =>
    vllmEngine({
      program: ENGINE_PROGRAM,
      logs: path.join(directory, 'logs'),
      environment: process.env,
      warn,
    });
  const start = async () => {
    const made = engine();
    return await startSupervisor({
      db: db.pool,
      log: { info: warn, warn },
      settings: { ...SETTINGS, ...options.settings },
      models: rig.models,
      weights: rig.weights,
      engineOf: () => made,
      elsewhere: () => false,
      watchGpus: (own) => startGpuWatch({ settings: seen, db: db.pool, own, warn }),
    });
  };
  let supervisor = await start();
  const model = async (name: string) => (await listLocalModels(db.pool, name))[0]!;
  const self: Supervised = {
    ...rig,
    db,
    get supervisor() {
      return supervisor;
    },
    async restart(between) {
      await supervisor.stop();
      await between?.();
      supervisor = await start();
    },
    acquire: (name, signal = new AbortController().signal) =>
      supervisor.acquire(name, { wait: true, signal }),
    model,
    until: async (name, state) =>
      await eventually(async () => {
        const found = await model(name);
        return found.state === state ? found : undefined;
      }, `${name} to be ${state}`),
    command: (name, action) => createCommand(db.pool, { model: name, action, actor: 'ann' }),
    async ordered(name, action) {
      const { id } = await self.command(name, action);
      return await eventually(async () => {
        const command = await getCommand(db.pool, id);
        return command.state === 'waiting' ? undefined : command;
      }, `the ${action} of ${name}`);
    },
    decided: async (name, line) =>
      void (await eventually(async () => {
        const decisions = await listDecisions(db.pool, name, 100);
        const lines = decisions.map(({ action, outcome }) => `${action}: ${outcome}`);
        return lines.some((each) => line.test(each)) || undefined;
      }, `a decision on ${name} as ${line}`)),
    async [Symbol.asyncDispose]() {
      await supervisor.stop();
      await stopListening(db.pool);
      const { rows } = await db.pool.query<{ pid: number }>(
        `select (handle->>'pid')::int as pid from engine_instance where state not in ('stopped','failed') and handle ? 'pid'`,
      );
      for (const { pid } of rows) kill(pid);
      await db[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
  return self;
}

/** Asks a replica for a completion; gives its text. */
export async function complete({ url, served }: Acquired): Promise<string> {
  const answer = await fetch(`${url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: served, prompt: 'hello' }),
  });
  const { choices } = (await answer.json()) as { choices: { text: string }[] };
  return choices[0]?.text ?? '';
}

/** Polls until there is an answer. */
export async function eventually<T>(
  ask: () => Promise<T | undefined>,
  what: string,
  withinMs = 20_000,
): Promise<T> {
  for (const deadline = Date.now() + withinMs; ; await delay(25)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${withinMs / 1000} s for ${what}`);
  }
}

/** Kills a process, if it is still there. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
