// A run's conversation with its agent: one turn a phase, and the messages of people that come between turns or in the middle
// of one. Used by the pipeline.
import { setTimeout as delay } from 'node:timers/promises';
import type { BudgetCheck, CodingAgent, Phase, TurnResult } from '../agents/coding-agent.ts';
import { interruptionPrompt, promptFor, type PromptContext } from './prompt.ts';
import type { Pipeline } from './run-record.ts';

/** No turn, or none that came to its end: the budgets leave nothing. `error` says which. */
export interface OutOfBudget {
  stop: 'out-of-budget';
  text: string;
  error: string;
}

/** For an agent to end by itself when the run stops. */
const GRACE_MS = 300;
/** An agent that finds its last call refused at so many looks on end, one a heartbeat, is not waited for. */
const LOOKS = 3;

/**
 * Asks the agent for a phase's work and answers with its result. A message that comes meanwhile interrupts an agent that can
 * be interrupted, and is the next thing that it is told; another gets it with its next prompt. (The protocol has no way into
 * a turn but its cancel: the extensions that inject a message are each agent's own, and end turns early.)
 */
export async function converse(
  pipeline: Pipeline,
  agent: CodingAgent,
  phase: Phase,
  context: PromptContext,
): Promise<TurnResult | OutOfBudget> {
  const { inbox, log, record, order } = pipeline;
  const plan = agent.plans || order.planning.approved !== null ? record.plan : null;
  for (let goingOn = false; ; goingOn = agent.remembers) {
    const before = await agent.budgetCheck();
    if (!before.ok) return outOfBudget(before);
    const fresh = inbox.take();
    context.messages.push(...fresh);
    for (const { author, text } of fresh)
      log.event({ type: 'message', role: 'person', text: `${author}: ${text}` });
    const prompt = goingOn
      ? interruptionPrompt(phase, fresh)
      : promptFor(phase, { ...context, fresh }, plan, record.checks);
    const answer = await turn(pipeline, agent, { phase, prompt });
    context.told = agent.remembers;
    const unheard = phase === 'plan' && answer.stop === 'done' && !inbox.isEmpty();
    if (answer.stop === 'interrupted' || unheard) continue;
    const after = await agent.budgetCheck();
    // Of finished work nothing is lost: to verify it costs nothing.
    return after.refused || (!after.ok && answer.stop !== 'done') ? outOfBudget(after) : answer;
  }
}

/** Says in the log by how much the agent's own count differs from what was metered, where it does. */
export async function tellDifference({ log }: Pipeline, agent: CodingAgent): Promise<void> {
  const { ledger, difference } = await agent.spendingReport();
  if (difference === null || difference === 0) return;
  const tokens = (count: number) => `${count.toLocaleString('en')} tokens`;
  const apart = `${tokens(Math.abs(difference))} ${difference > 0 ? 'more' : 'fewer'}`;
  const text = `The agent counts ${apart} than were metered, ${tokens(ledger.inputTokens + ledger.outputTokens)}; what was metered counts.`;
  log.event({ type: 'notice', text });
}

const outOfBudget = ({ reason }: BudgetCheck): OutOfBudget => ({
  stop: 'out-of-budget',
  text: '',
  error: reason ?? 'The budget is used up.',
});

/** True when no more messages come: what was sent has reached the agent, and further ones are refused. */
export async function closeInbox({ inbox, api }: Pipeline): Promise<boolean> {
  if (!inbox.isEmpty()) return false;
  inbox.add(await api.messages({ delivered: inbox.last(), last: true }));
  return inbox.isEmpty();
}

// The agent is given a moment to end by itself when the run stops; closing the sandbox does the rest.
async function turn(
  { log, signal, inbox, api, record, order }: Pipeline,
  agent: CodingAgent,
  given: { phase: Phase; prompt: string },
): Promise<TurnResult> {
  log.event({ type: 'message', role: 'prompt', text: given.prompt });
  const stopped = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const delivered = inbox.last();
  const work = agent.runTask(given);
  work.catch(() => {}); // one that ends after the race
  const forget = inbox.onArrival(() => agent.interrupt());
  const told = delivered === 0 ? null : api.messages({ delivered, last: false });
  told?.catch(() => {});
  const over = new AbortController();
  const refused = givenUp(agent, order.lease.heartbeatSeconds * 1000, over.signal);
  try {
    const answer = await Promise.race([work, stopped.then(async () => await delay(GRACE_MS, null)), refused]);
    signal.throwIfAborted();
    if (answer === null) throw new Error('unreachable: the signal has aborted');
    inbox.add((await told) ?? []);
    return answer;
  } finally {
    over.abort();
    record.agentTokens = agent.counted();
    forget();
  }
}

// Some agents try again and again for as long as they are let.
async function givenUp(agent: CodingAgent, everyMs: number, over: AbortSignal): Promise<TurnResult> {
  for (let refusals = 0; refusals < LOOKS;) {
    const waited = await delay(everyMs, true, { signal: over }).catch(() => false);
    if (!waited) return await new Promise(() => {}); // the turn has ended by itself
    const { refused } = await agent.budgetCheck().catch(() => ({ refused: false }));
    refusals = refused ? refusals + 1 : 0;
  }
  return { stop: 'failed', text: '', error: 'It went on asking though it was refused.' };
}
