// The one loop that decides: commands, plans, the decision, and doing it. It looks again whenever something has happened,
// and each second. Used by supervisor.ts.
import type { ModelAction, ModelCommand } from '../../../protocol/local-model.ts';
import type { Decision, ResidencyState } from '../residency/state.ts';
import { refuseWaiting, whyNot } from './admission.ts';
import { answerCommand, waitingCommands, type Answer } from './commands.ts';
import { recordDecision } from './decisions.ts';
import type { Fleet, Member } from './fleet.ts';
import { load, stopLoading } from './load.ts';
import { observeMember } from './members.ts';
import { step, type Order } from './orders.ts';
import { outlook } from './outlook.ts';
import { sleep, unload, wake } from './unload.ts';

/** Commands are looked for so often though nothing was told of them. */
const EVERY_MS = 1_000;

export interface LoopParts {
  decide(state: ResidencyState): Decision[];
  /** Whether commands have come since it was asked last. */
  asked(): boolean;
  /** Brings what is known of weights and placements up to date. */
  plan(): Promise<void>;
}

/** Makes one turn of the loop. */
export function turns(fleet: Fleet, { decide, asked, plan }: LoopParts): () => Promise<void> {
  const commands = commandSteps(fleet, asked);
  const refusals = new Map<string, string>();
  return async () => {
    await plan();
    await commands();
    const now = Date.now();
    for (const member of fleet.members.values()) turnAway(member, now);
    const decisions = decide(outlook(fleet, now));
    drain(fleet, decisions);
    for (const decision of decisions) act(fleet, decision);
    for (const member of fleet.members.values()) {
      await tellRefusal(fleet, member, refusals);
      await observeMember(fleet.db, member);
    }
  };
}

/** A model that cannot be loaded is not waited for; one that nobody has asked for any more is not wanted. */
function turnAway(member: Member, now: number): void {
  if (member.wanted !== null && member.wanted.until < now) member.wanted = null;
  const refusal = whyNot(member, now);
  if (refusal !== undefined) refuseWaiting(member, refusal);
}

function drain(fleet: Fleet, decisions: readonly Decision[]): void {
  const drained = new Set(
    decisions.filter(({ action }) => action === 'drain').map(({ model, replica }) => `${model} ${replica}`),
  );
  for (const { model, replicas } of fleet.members.values())
    for (const replica of replicas)
      if (!replica.busy) replica.draining = drained.has(`${model.name} ${replica.index}`);
}

function act(fleet: Fleet, decision: Decision): void {
  const member = fleet.members.get(decision.model);
  if (member === undefined || decision.action === 'drain') return;
  const replica = member.replicas.find(({ index }) => index === decision.replica);
  if (decision.action === 'load') {
    if (replica === undefined) load(fleet, member, decision);
    return;
  }
  if (replica === undefined) return;
  if (decision.action === 'unload') stopLoading(replica, decision.reason);
  if (replica.busy || replica.doubted) return;
  const what = `${decision.action} of ${decision.model}`;
  switch (decision.action) {
    case 'unload':
      return fleet.beside(what, () => unload(fleet, member, replica, decision));
    case 'sleep':
      return fleet.beside(what, () => sleep(fleet, member, replica, decision));
    case 'wake':
      return fleet.beside(what, () => wake(fleet, member, replica, decision));
  }
}

// That a model is wanted and cannot be had is told once for each reason.
async function tellRefusal(fleet: Fleet, member: Member, told: Map<string, string>): Promise<void> {
  const { model, trouble, load: policy, wanted } = member;
  if (trouble === null) return void told.delete(model.name);
  if (told.get(model.name) === trouble.problem || (policy === 'on-demand' && wanted === null)) return;
  told.set(model.name, trouble.problem);
  const settle = await recordDecision(fleet.db, {
    model: model.name,
    action: 'refuse',
    reason: trouble.problem,
  });
  await settle(trouble.remedy ?? 'refused');
}

/** Steps all commands; an answer is written when it has changed. */
function commandSteps(fleet: Fleet, asked: () => boolean): () => Promise<void> {
  const seen = new Map<number, { since: number; detail?: string }>();
  let at = 0;
  return async () => {
    if (!asked() && seen.size === 0 && Date.now() - at < EVERY_MS) return;
    at = Date.now();
    const commands = await waitingCommands(fleet.db);
    for (const id of seen.keys()) if (!commands.some((command) => command.id === id)) seen.delete(id);
    for (const command of commands) {
      const isNew = !seen.has(command.id);
      const { since, detail } = seen.get(command.id) ?? { since: Date.now() };
      seen.set(command.id, { since });
      const answer = answerTo(fleet, { ...command, isNew, since }, commands);
      if (answer.detail !== detail) await answerCommand(fleet.db, command.id, answer);
      seen.set(command.id, { since, detail: answer.detail });
    }
  };
}

function answerTo(fleet: Fleet, command: ModelCommand & Order, all: readonly ModelCommand[]): Answer {
  const member = fleet.members.get(command.model);
  if (member === undefined)
    return {
      state: 'failed',
      detail: 'The catalogue has no such model.',
      remedy: 'See `autocode model list`.',
    };
  const later = all.find(
    ({ id, model, action }) =>
      id > command.id && model === command.model && takesDown(action) && !takesDown(command.action),
  );
  if (later !== undefined)
    return { state: 'failed', detail: `${later.actor} asked to ${later.action} it meanwhile.`, remedy: null };
  return step(fleet, member, command);
}

const takesDown = (action: ModelAction) => action === 'unload' || action === 'sleep';
