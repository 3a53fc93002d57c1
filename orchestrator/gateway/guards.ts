// What stops a run that goes round in circles: its calls and tokens are counted, and the same request or the same tool
// call again and again is refused with words that an agent shows. Used by server.ts for each call of a run.
import { crc32 } from 'node:zlib';
import { AutocodeError } from '../../protocol/errors.ts';
import type { ModelCall, Protocol } from '../../protocol/model.ts';
import type { Queryable } from '../db/connect.ts';
import { object, objects, string } from '../models/wire/json.ts';
import type { JsonObject } from '../models/wire/json.ts';
import type { Caller } from './keys.ts';
import type { Metered } from './metering.ts';

export interface GuardLimits {
  callsPerRun: number;
  tokensPerRun: number;
  sameRequests: number;
  sameToolCalls: number;
}

export interface Guards {
  /** Lets a call pass, or throws ERR_RUN_LIMIT or ERR_LOOP. */
  enter(caller: Caller, protocol: Protocol, body: Buffer, json: JsonObject): Promise<Passed>;
}

export interface Passed {
  cause: ModelCall['cause'];
  /** Takes what the call used. */
  leave(metered: Metered, ok: boolean): void;
}

interface Progress {
  calls: number;
  tokens: number;
  /** The last request that was answered, and how often in a row. */
  answered: string;
  times: number;
  /** The last request that failed. */
  failed: string;
  at: number;
}

const IDLE_MS = 3_600_000;
const KEPT_AT_MOST = 5_000;

/** Makes the guards. What a run has used is read from the database once, then counted here. */
export function guards(db: Queryable, limits: GuardLimits): Guards {
  const runs = new Map<string, Promise<Progress>>();
  const settled = new Map<string, Progress>();

  const progressOf = async (run: string): Promise<Progress> => {
    if (runs.size > KEPT_AT_MOST) forget();
    const known = runs.get(run) ?? load(db, run);
    runs.set(run, known);
    known.then(
      (progress) => settled.set(run, progress),
      () => runs.delete(run),
    );
    return await known;
  };
  const forget = () => {
    for (const [run, { at }] of settled) {
      if (performance.now() - at < IDLE_MS) continue;
      runs.delete(run);
      settled.delete(run);
    }
  };
  return {
    async enter(caller, protocol, body, json) {
      if (caller.run === null) return { cause: caller.cause, leave: () => {} };
      const progress = await progressOf(caller.run);
      const { maxCalls = limits.callsPerRun, maxTokens = limits.tokensPerRun } = caller.limits;
      if (progress.calls >= maxCalls) throw spent(caller.run, `${maxCalls} model calls`, 'maxCalls');
      if (progress.tokens >= maxTokens) throw spent(caller.run, `${maxTokens} tokens`, 'maxTokens');
      const print = printOf(body);
      if (print === progress.answered && progress.times >= limits.sameRequests)
        throw loops(caller.run, `has sent the same request ${progress.times} times in a row`);
      const [name, times] = repeatedCall(protocol, json, limits.sameToolCalls);
      if (times >= limits.sameToolCalls)
        throw loops(
          caller.run,
          `has called the tool ${name} with the same arguments ${times} times in a row`,
        );
      progress.calls++;
      progress.at = performance.now();
      return {
        cause: caller.cause === 'agent' && print === progress.failed ? 'retry' : caller.cause,
        leave({ tokens }, ok) {
          progress.tokens += tokens.input + tokens.output;
          progress.failed = ok ? '' : print;
          if (!ok) return;
          progress.times = print === progress.answered ? progress.times + 1 : 1;
          progress.answered = print;
        },
      };
    },
  };
}

async function load(db: Queryable, run: string): Promise<Progress> {
  const { rows } = await db.query(
    `select count(*)::int as calls, coalesce(sum(input_tokens + output_tokens), 0)::float8 as tokens
     from model_call where run = $1`,
    [run],
  );
  const { calls, tokens } = rows[0] as { calls: number; tokens: number };
  return { calls, tokens, answered: '', times: 0, failed: '', at: performance.now() };
}

// Quick, since prompts are large and a conversation changes at its end; for one wrong refusal a whole row of different
// requests would have to meet in it.
const PRINTED_BYTES = 64 * 1024;
const printOf = (body: Buffer) =>
  `${body.length} ${crc32(body.subarray(0, PRINTED_BYTES))} ${crc32(body.subarray(-PRINTED_BYTES))}`;

/** The tool call that the end of the conversation repeats, and how often; it is looked for `most` times. */
export function repeatedCall(protocol: Protocol, json: JsonObject, most: number): [string, number] {
  const items = objects(protocol === 'responses' ? json.input : json.messages);
  let last: JsonObject | undefined;
  let times = 0;
  for (let at = items.length - 1; at >= 0 && times < most; at--) {
    const called = callsOf(items[at] as JsonObject);
    if (called.length === 0) {
      if ((items[at] as JsonObject).role !== 'user' || isResult(items[at] as JsonObject)) continue;
      break; // somebody said something new
    }
    if (called.length > 1) break;
    const [call] = called as [JsonObject];
    if (last !== undefined && (call.name !== last.name || call.arguments !== last.arguments)) break;
    last = call;
    times++;
  }
  return [string(last?.name), times];
}

/** The tool calls of one message or item, with their arguments as text. */
function callsOf(item: JsonObject): JsonObject[] {
  if (item.type === 'function_call' || item.type === 'custom_tool_call')
    return [{ name: item.name, arguments: string(item.arguments) || string(item.input) }];
  if (item.role !== 'assistant') return [];
  const ofChat = objects(item.tool_calls).map((call) => object(call.function));
  const ofMessages = objects(item.content)
    .filter((block) => block.type === 'tool_use')
    .map((block) => ({ name: block.name, arguments: JSON.stringify(block.input) }));
  return [...ofChat, ...ofMessages];
}

const isResult = (message: JsonObject) =>
  objects(message.content).some((block) => block.type === 'tool_result');

function spent(run: string, what: string, limit: string): AutocodeError {
  return new AutocodeError('ERR_RUN_LIMIT', `The run ${run} has used up its ${what}.`, {
    remedy: `Raise the limit (limits.${limit} of the task or project) and retry the task.`,
  });
}

function loops(run: string, what: string): AutocodeError {
  return new AutocodeError('ERR_LOOP', `The run ${run} goes round in circles: it ${what}.`, {
    remedy: 'Do something else, or end the work and say what is in the way.',
  });
}
