// One request to the gateway from its key to its answer: who calls, what is asked for, whether it may pass. Used by
// server.ts, which listens.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ChargeWriter } from '../budget/charge-writer.ts';
import type { Queryable } from '../db/connect.ts';
import type { Catalogue } from '../models/catalogue.ts';
import { countedTokens } from '../models/wire/collector.ts';
import { string } from '../models/wire/json.ts';
import type { JsonObject } from '../models/wire/json.ts';
import { sendJson } from '../models/wire/refusal.ts';
import { parseBody, readBody } from '../models/wire/request-body.ts';
import type { PromptKeeper, PromptToKeep } from '../prompts/keeper.ts';
import { answerCache, answerKey } from './answer-cache.ts';
import { callLimit } from './call-limit.ts';
import { egressRecords } from './egress.ts';
import { exchange } from './exchange.ts';
import type { Answered, Exchange } from './exchange.ts';
import { guards } from './guards.ts';
import type { GuardLimits, Passed } from './guards.ts';
import { gatewayKeys } from './keys.ts';
import type { Caller } from './keys.ts';
import { rungsFor } from './ladder.ts';
import { chargeOf } from './ledger.ts';
import type { CallRecord, Recorded } from './ledger.ts';
import { NOTHING } from './metering.ts';
import { modelList, oneModel } from './model-list.ts';
import type { Admit } from './paying.ts';
import { payerOf } from './paying.ts';
import type { Upstreams } from './reach.ts';
import { COUNT_TOKENS, isAnthropic, keyOf, notServed } from './route.ts';
import type { Route } from './route.ts';
import { stickyRungs } from './sticky.ts';

export interface CallParts {
  db: Queryable;
  catalogue: Catalogue;
  upstreams: Upstreams;
  /** Admits each call before it goes upstream. */
  admit: Admit;
  writer: ChargeWriter<Recorded>;
  callsPerMinute: number;
  guards: GuardLimits;
  /** Where prompts are kept of projects that want it. */
  prompts?: Pick<PromptKeeper, 'keep'> | undefined;
  settled(record: CallRecord): void;
}

export interface Arrived {
  request: IncomingMessage;
  response: ServerResponse;
  requestId: string;
  signal: AbortSignal;
}

const BODY_LIMIT = 50 * 1024 * 1024;
const CACHED_BYTES = 64 * 1024 * 1024;
/** Of one answer. */
const CACHED_ANSWER_BYTES = 1024 * 1024;
const KEPT_ANSWER_BYTES = 32 * 1024 * 1024;

/** Makes what serves the requests. It throws where nothing has been answered yet. */
export function callServer(parts: CallParts): (route: Route | undefined, arrived: Arrived) => Promise<void> {
  const { db, catalogue, upstreams, admit, writer } = parts;
  const identify = gatewayKeys(db);
  const limit = callLimit(parts.callsPerMinute);
  const guard = guards(db, parts.guards);
  const sticky = stickyRungs();
  const cache = answerCache(CACHED_BYTES);
  const egress = egressRecords(db);

  return async (route, { request, response, requestId, signal }) => {
    const caller = await identify(keyOf(request));
    if (route === undefined) throw notServed(request);
    if ('models' in route) {
      const anthropic = isAnthropic(request);
      const { named } = route;
      const list =
        named === undefined
          ? modelList(catalogue, caller, anthropic)
          : oneModel(catalogue, caller, named, anthropic);
      return sendJson(response, 200, list);
    }
    const who = payerOf(caller);
    limit(who);
    const body = await readBody(request, BODY_LIMIT);
    const json = parseBody(body);
    const { protocol, path } = route;
    const modelAsked = string(json.model);
    const all = rungsFor(catalogue, caller, modelAsked, protocol);
    if (path === COUNT_TOKENS) {
      const own = all.find((rung) => rung.translation === undefined);
      if (own === undefined) return sendJson(response, 200, { input_tokens: countedTokens(body.length) });
      all.splice(0, all.length, own);
    }
    const place = `${who} ${modelAsked}`;
    const { rungs, kept } = sticky.order(place, all);
    const { cause, leave } =
      path === COUNT_TOKENS ? counting(caller) : await guard.enter(caller, protocol, body, json);
    const key = cacheable(protocol, json, caller.policy.cacheAnswers)
      ? answerKey(
          [String(caller.project), who.startsWith('key') ? who : '', path, rungs[0]?.model.name ?? ''],
          body,
        )
      : undefined;
    // Not as a closure: that would hold every body as long as its answer takes.
    const prompt =
      path !== COUNT_TOKENS && keepsPrompt(caller, protocol) ? { keeper: parts.prompts, body } : undefined;
    const call: Exchange = {
      requestId,
      caller,
      protocol,
      path,
      rungs,
      kept,
      modelAsked,
      cause,
      bytes: body.length,
      asked: { body, json },
      request,
      response,
      signal,
      keep: prompt !== undefined ? KEPT_ANSWER_BYTES : key !== undefined ? CACHED_ANSWER_BYTES : 0,
    };
    const known = key === undefined ? undefined : cache.get(key);
    if (known !== undefined) {
      await writer.write(hitOf(call));
      response.writeHead(200, {
        ...known.head,
        'x-autocode-cache': 'hit',
        'content-length': known.body.length,
      });
      response.end(known.body);
      prompt?.keeper?.keep(promptOf(call, prompt.body, known));
      return;
    }
    const settled = (record: CallRecord) => {
      leave(record.metered, record.outcome === 'ok');
      parts.settled(record);
    };
    const answered = await exchange(call, { upstreams, admit, egress, settled });
    prompt?.keeper?.keep(promptOf(call, prompt.body, answered?.sent));
    if (answered?.ok !== true) return;
    const preferred = answered.rung === all[0];
    if (all.length > 1) sticky.served(place, answered.rung, preferred ? null : answered.fallback);
    if (key !== undefined && answered.sent !== undefined && answered.sent.body.length <= CACHED_ANSWER_BYTES)
      cache.put(key, answered.sent);
  };
}

/** Tokens are counted for anybody who may call. */
const counting = ({ cause }: Caller): Passed => ({ cause, leave: () => {} });

/** Embeddings are always the same; other answers are with temperature 0, more or less, so the project has a say. */
function cacheable(protocol: string, json: JsonObject, wanted: boolean): boolean {
  return protocol === 'embeddings' || (wanted && json.temperature === 0);
}

/** Only of runs: what people ask with keys of their own is theirs. Embeddings have nothing to read. */
function keepsPrompt({ run, policy }: Exchange['caller'], protocol: string): boolean {
  return run !== null && policy.keepPrompts && protocol !== 'embeddings';
}

function promptOf(
  { caller, requestId, protocol }: Exchange,
  body: Buffer,
  sent: Answered['sent'],
): PromptToKeep {
  const streamed = sent?.head['content-type']?.startsWith('text/event-stream') === true;
  const answer = sent && { streamed, bytes: sent.body };
  return { run: String(caller.run), request: requestId, protocol, body, answer };
}

/** The record of an answer that cost nothing, since it was there already. */
function hitOf({ requestId, caller, protocol, modelAsked, rungs, cause }: Exchange): Recorded {
  const [{ model }] = rungs as [Exchange['rungs'][number]];
  const record = {
    request: requestId,
    caller,
    protocol,
    modelAsked,
    cause,
    metered: NOTHING,
    modelServed: model.name,
    price: model.price,
    fallback: 'answered from memory',
    queueMs: 0,
    status: 200,
    outcome: 'ok' as const,
    firstByteMs: 0,
    totalMs: 0,
  };
  return chargeOf(record, { slab: null, engine: model.engine, money: 0, gpu: 0 });
}
