// Who pays for a call, how much, and from what: a call is admitted when the budgets of all who pay allow what it may cost at
// most, and settled with what it did cost. Made by server.ts, asked by exchange.ts for each call.
import type { Price, Protocol } from '../../protocol/model.ts';
import type { Amounts } from '../budget/amounts.ts';
import type { ChargeWriter } from '../budget/charge-writer.ts';
import type { Hold, Purses } from '../budget/purses.ts';
import { budgetWarning, overBudget } from '../budget/words.ts';
import type { ResolvedModel } from '../models/catalogue.ts';
import type { Acquired } from '../models/supervisor/acquired.ts';
import type { JsonObject } from '../models/wire/json.ts';
import { inputBounds, outputBound } from './bounds.ts';
import { gpuClock, type GpuClock } from './gpu-clock.ts';
import type { Caller } from './keys.ts';
import { chargeOf, type CallRecord, type Recorded } from './ledger.ts';
import { costMicros } from './metering.ts';

/** A call that is about to go to an engine. */
export interface AdmissionRequest {
  caller: Caller;
  protocol: Protocol;
  model: ResolvedModel;
  /** Where a model of the appliance's own runs. */
  replica?: Pick<Acquired, 'url' | 'gpus'> | undefined;
  /** Bytes of the request. */
  bytes: number;
  json: JsonObject;
}

export interface Admission {
  /** The most output that is left; what the request asks for is cut to it. */
  maxTokens?: number;
  /** Said to the model at the end of the conversation. */
  warning?: string;
  /** Takes the record of what was used; durable when it returns. Called once, unless `release` is. */
  settle(record: CallRecord): Promise<void>;
  /** The call did not reach its engine: nothing was used. */
  release(): void;
}

/** Admits a call or throws ERR_BUDGET. */
export type Admit = (request: AdmissionRequest) => Promise<Admission>;

export interface PayingParts {
  purses: Purses;
  writer: ChargeWriter<Recorded>;
  /** The price that was set for a model, if one was. */
  priceOf(model: string): Promise<Price | undefined>;
  /** Of the ledger. */
  currency: string;
  /** Told before a run's call is refused. */
  refused(run: string, words: string): Promise<void>;
}

/** An answer shorter than this is of no use to anybody. */
const LEAST_OUTPUT = 256;
/** GPU time is not known before: so much is held for a token of output, in milliseconds of one GPU. */
const GPU_MS_A_TOKEN = 10;
const HOUR_MS = 3_600_000;

/** Makes what admits calls and takes their records. */
export function paying({ purses, writer, priceOf, currency, refused }: PayingParts): Admit {
  const bounds = inputBounds();
  const clocks = new Map<string, { clock: GpuClock; rest: number }>();

  return async ({ caller, protocol, model, replica, bytes, json }) => {
    const who = payerOf(caller);
    const gpus = gpusOf(model, replica);
    const price = await effectivePrice(model, priceOf);
    const input = bounds.of(who, bytes);
    const { output, asked } = outputBound(protocol, json);
    const need = (tokens: number): Amounts => ({
      money: worst(input, tokens, price) + (gpus === undefined ? 0 : gpuCost(tokens * GPU_MS_A_TOKEN, gpus)),
      tokens: input + tokens,
      gpu: gpus === undefined ? 0 : tokens * GPU_MS_A_TOKEN,
    });
    const want = need(output);
    const admission = await purses.admit(who, caller.payers, want, need(Math.min(output, LEAST_OUTPUT)));
    if ('refused' in admission) {
      const error = overBudget(admission.refused, currency);
      if (caller.run !== null) await refused(caller.run, `${error.message} ${error.remedy}`);
      throw error;
    }
    const { hold, bound, near } = admission;
    const affordable = outputFor(hold, need, output);
    const end = gpus === undefined ? undefined : begin(clocks, replica?.url ?? model.engine, gpus.count);
    return {
      ...(affordable < output || (bound && !asked) ? { maxTokens: affordable } : {}),
      ...(near === undefined
        ? {}
        : { warning: budgetWarning(near.budget, near.percent, near.left, currency) }),
      settle: async (record) => {
        const gpu = end?.() ?? 0;
        const { tokens } = record.metered;
        bounds.used(who, bytes, tokens.input + tokens.output);
        const tokenMoney = costMicros(record.metered, price);
        const money = tokenMoney + (gpus === undefined ? 0 : gpuCost(gpu, gpus));
        try {
          await writer.write(
            chargeOf({ ...record, price }, { slab: hold.slab, engine: model.engine, money, gpu }),
          );
        } finally {
          hold.settle({ money, tokens: tokens.input + tokens.output, gpu });
        }
      },
      release: () => {
        end?.();
        hold.settle({ money: 0, tokens: 0, gpu: 0 });
      },
    };
  };
}

/** Whose purse a call draws on. */
export function payerOf({ run, key }: Caller): string {
  return run ?? `key ${key}`;
}

type Gpus = NonNullable<ReturnType<typeof gpusOf>>;

function gpusOf({ serves }: ResolvedModel, replica: AdmissionRequest['replica']) {
  if (serves.kind === 'local') return { ...serves.gpu, count: replica?.gpus ?? 1 };
  return serves.kind === 'upstream' ? serves.engine.gpu : undefined;
}

// One that was set comes first, then the configuration's.
async function effectivePrice(
  { name, price, priceSource }: ResolvedModel,
  priceOf: PayingParts['priceOf'],
): Promise<Price> {
  return priceSource === 'recording' ? price : ((await priceOf(name)) ?? price);
}

function worst(input: number, output: number, price: Price): number {
  const dearest = {
    input: Math.max(price.input, price.cached),
    output: Math.max(price.output, price.reasoning ?? 0),
  };
  return Math.ceil(input * dearest.input + output * dearest.output);
}

/** GPU time and the energy for it, in millionths of the ledger currency. */
function gpuCost(ms: number, { pricePerHour, watts, pricePerKwh }: Gpus): number {
  const micros = (ms / HOUR_MS) * ((pricePerHour ?? 0) + (watts / 1000) * pricePerKwh) * 1e6;
  return Math.ceil(Number(micros.toFixed(6))); // as with tokens, not by the error of binary fractions
}

/** The most output whose cost the hold covers. */
function outputFor({ amounts }: Hold, need: (tokens: number) => Amounts, most: number): number {
  const fits = (tokens: number) => {
    const { money, tokens: all, gpu } = need(tokens);
    return money <= amounts.money && all <= amounts.tokens && gpu <= amounts.gpu;
  };
  if (fits(most)) return most;
  let [low, high] = [0, most];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

// What was rounded off one call's share goes to the next one's, so that whole milliseconds sum up too.
function begin(
  clocks: Map<string, { clock: GpuClock; rest: number }>,
  engine: string,
  gpus: number,
): () => number {
  const id = `${engine} ${gpus}`; // a replica may have the address of an earlier one
  const kept = clocks.get(id) ?? { clock: gpuClock(gpus), rest: 0 };
  clocks.set(id, kept);
  const end = kept.clock.begin();
  let share: number | undefined;
  return () => {
    if (share !== undefined) return share;
    const exact = end() + kept.rest;
    share = Math.floor(exact);
    kept.rest = exact - share;
    return share;
  };
}
