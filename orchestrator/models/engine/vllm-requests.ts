// Requests to one `vllm serve` besides those of clients: is it well, asleep, does it bring a token. Used by vllm.ts.
import { AutocodeError } from '../../../protocol/errors.ts';
import type { EngineReading, Handle } from './managed.ts';
import { readMetrics } from './vllm-metrics.ts';

const ANSWER_MS = 15_000;
const TOKEN_MS = 60_000;
const SLEEP_MS = 120_000; // the weights of a large model come over the bus, or from the disk

/** `refused`: nothing listens; `silent`: it takes requests and answers none; `dead`: its core has ended. */
export async function wellness(
  handle: Handle,
  signal: AbortSignal,
  withinMs = ANSWER_MS,
): Promise<'well' | 'asleep' | 'refused' | 'silent' | 'dead'> {
  try {
    const { status } = await request(handle, '/health', { signal, withinMs });
    if (status !== 200) return 'dead';
    // Asked of the core itself: /health says nothing of one that hangs.
    const answer = await request(handle, '/is_sleeping', { signal, withinMs });
    const { is_sleeping: asleep } = JSON.parse(answer.text) as { is_sleeping?: unknown };
    return asleep === true ? 'asleep' : 'well';
  } catch (error) {
    if (signal.aborted) throw error;
    return isTimeout(error) ? 'silent' : 'refused';
  }
}

/** Has it bring one token; tells what is wrong otherwise. One that is so busy that ours must wait is well when it brings others. */
export async function bringsToken(
  handle: Handle,
  signal: AbortSignal,
  withinMs = TOKEN_MS,
): Promise<{ well: true } | { well: false; detail: string }> {
  const before = await reading(handle, signal);
  const ask = async (path: string, input: object) =>
    await request(handle, path, { body: { model: handle.served, ...input }, signal, withinMs });
  try {
    let { status, text } = await ask('/v1/completions', { prompt: 'a', max_tokens: 1, temperature: 0 });
    if (status === 404) ({ status, text } = await ask('/v1/embeddings', { input: 'a' })); // an embedding model has no other
    return status === 200 ? { well: true } : { well: false, detail: `${status} ${text.slice(0, 300)}` };
  } catch (error) {
    if (signal.aborted) throw error;
    const after = await reading(handle, signal).catch(() => undefined);
    if (tokensOf(after) > tokensOf(before)) return { well: true };
    return {
      well: false,
      detail: isTimeout(error) ? `none in ${withinMs / 1000} s` : (error as Error).message,
    };
  }
}

/** The engine's figures; undefined when it tells none. */
export async function reading(handle: Handle, signal: AbortSignal): Promise<EngineReading | undefined> {
  const { text } = await request(handle, '/metrics', { signal, withinMs: ANSWER_MS });
  return readMetrics(text, Date.now());
}

/** Puts it to sleep when its requests have ended. */
export async function sleep(handle: Handle, level: 1 | 2): Promise<void> {
  await command(handle, `/sleep?level=${level}&mode=wait`);
}

/** Wakes it; weights that were dropped are read again. */
export async function wake(handle: Handle): Promise<void> {
  const { text } = await request(handle, '/metrics', { withinMs: ANSWER_MS });
  if (!/^vllm:engine_sleep_state\{.*sleep_state="discard_all".*\} 1/m.test(text)) {
    return await command(handle, '/wake_up');
  }
  await command(handle, '/wake_up?tags=weights');
  await command(handle, '/collective_rpc', { method: 'reload_weights' });
  await command(handle, '/wake_up?tags=kv_cache');
}

async function command(handle: Handle, path: string, body: object = {}): Promise<void> {
  const failed = (why: string, cause?: unknown) =>
    new AutocodeError('ERR_ENGINE_UNAVAILABLE', `The engine of ${handle.model} did not do ${path}: ${why}.`, {
      remedy: `See its log: \`autocode model logs ${handle.model}\`.`,
      cause,
    });
  const { status, text } = await request(handle, path, { body, withinMs: SLEEP_MS }).catch((cause: Error) => {
    throw failed(cause.message, cause);
  });
  if (status !== 200) throw failed(`${status} ${text.slice(0, 300)}`);
}

interface Ask {
  /** A body makes it a POST. */
  body?: object;
  signal?: AbortSignal;
  withinMs: number;
}

async function request(
  { endpoint }: Handle,
  path: string,
  { body, signal, withinMs }: Ask,
): Promise<{ status: number; text: string }> {
  const late = AbortSignal.timeout(withinMs);
  const response = await fetch(`${endpoint}${path}`, {
    ...(body === undefined
      ? {}
      : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    signal: signal === undefined ? late : AbortSignal.any([signal, late]),
  });
  return { status: response.status, text: await response.text() };
}

const isTimeout = (error: unknown) => error instanceof Error && error.name === 'TimeoutError';

const tokensOf = (figures: EngineReading | undefined) =>
  figures === undefined ? 0 : figures.generatedTokens + figures.promptTokens;
