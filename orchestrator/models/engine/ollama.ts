// Models in an Ollama server that runs beside Autocode, over its HTTP API. Used by the supervisor for `engine: ollama`.
// Ollama keeps its own weights and decides on the GPUs itself; an entry's `path` is the name that it knows the model by.
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { AutocodeError } from '../../../protocol/errors.ts';
import { neverAsleep, type Handle, type Health, type ManagedEngine } from './managed.ts';
import { oneToken } from './one-token.ts';

const Tags = z.looseObject({ models: z.array(z.looseObject({ name: z.string() })) });
const Running = z.looseObject({
  models: z.array(
    z.looseObject({
      name: z.string(),
      size: z.number(),
      size_vram: z.number(),
      /** Told since 0.9. */
      context_length: z.number().optional(),
    }),
  ),
});
type Running = z.infer<typeof Running>['models'][number];
const Refusal = z.looseObject({ error: z.string() });

const ANSWER_MS = 10_000;
// A request ends before its model is unloaded.
const GONE_MS = 60_000;
const POLL_MS = 250;
const MIB = 1024 * 1024;

/** A load that this process asked for; Ollama answers when it has ended. */
interface Load {
  failure: Health | undefined;
  ended: boolean;
  readonly halt: AbortController;
}

/** The engine over the server at `url`. */
export function ollamaEngine({ url }: { url: string }): ManagedEngine {
  const server = ollamaServer(url);
  const loads = new Map<string, Load>();
  const proven = new Set<string>();
  const handleOf = (launch: string, model: string, path: string): Handle => ({
    launch,
    model,
    endpoint: url.replace(/\/+$/, ''),
    served: path,
  });
  const running = async ({ served }: Pick<Handle, 'served'>, signal?: AbortSignal) =>
    (await server.running(signal)).find(({ name }) => name === tagged(served));

  return {
    kind: 'ollama',

    async start({ id, model }, note, signal) {
      if (model.tensorParallel !== 1) throw spreadsItself(model.name);
      if (!(await server.names(signal)).includes(tagged(model.path))) throw unknown(url, model.path);
      const handle = handleOf(id, model.name, model.path);
      await note(handle);
      const load: Load = { failure: undefined, ended: false, halt: new AbortController() };
      loads.set(id, load);
      const loading = async () => {
        // Held until it is unloaded: when to unload is not Ollama's to decide here.
        await server.ask('/api/generate', { model: model.path, keep_alive: -1 }, undefined, load.halt.signal);
        const loaded = await running(handle, load.halt.signal);
        load.failure = tooShort(loaded, model.context);
      };
      void loading()
        .catch((error: unknown) => (load.failure = failureOf(error)))
        .finally(() => (load.ended = true));
      return handle;
    },

    async find({ id, model }) {
      const handle = handleOf(id, model.name, model.path);
      const loaded = await running(handle).catch((error: unknown) => {
        if (isNobody(error)) return undefined;
        throw error;
      });
      return loaded === undefined ? undefined : handle;
    },

    async stop(handle) {
      loads.get(handle.launch)?.halt.abort();
      loads.delete(handle.launch);
      proven.delete(handle.launch);
      try {
        if ((await running(handle)) === undefined) return;
        await server.ask('/api/generate', { model: handle.served, keep_alive: 0 }, ANSWER_MS);
        for (
          const deadline = Date.now() + GONE_MS;
          (await running(handle)) !== undefined;
          await delay(POLL_MS)
        )
          if (Date.now() > deadline) throw stays(handle);
      } catch (error) {
        // Its models are in processes of the server's, which end with it.
        if (!isNobody(error)) throw error;
      }
    },

    async sleep(handle) {
      throw neverAsleep(handle, 'Ollama knows loaded or unloaded');
    },

    async wake(handle) {
      throw neverAsleep(handle, 'Ollama knows loaded or unloaded');
    },

    async health(handle, signal) {
      const load = loads.get(handle.launch);
      if (load?.ended === false) return { state: 'loading', detail: 'Ollama loads it' };
      if (load?.failure !== undefined) return load.failure;
      if ((await running(handle, signal)) === undefined)
        return {
          state: 'failed',
          detail: `Ollama at ${url} has unloaded ${handle.served}: it was started anew, or another model took its place.`,
          remedy: 'It is loaded again. Raise OLLAMA_MAX_LOADED_MODELS of the server if that happens often.',
          outOfMemory: false,
        };
      if (proven.has(handle.launch)) return { state: 'ready' };
      const answer = await oneToken(handle, signal);
      if (answer.state === 'ready') proven.add(handle.launch);
      return answer;
    },

    async metrics(handle, signal) {
      const loaded = await running(handle, signal);
      if (loaded === undefined) return undefined;
      // Ollama counts neither requests nor tokens.
      return {
        at: Date.now(),
        running: 0,
        waiting: 0,
        kvUsage: null,
        generatedTokens: 0,
        promptTokens: 0,
        firstTokenSeconds: { sum: 0, count: 0 },
        prefix: { looked: 0, hit: 0 },
        reportedMib: Math.round(loaded.size_vram / MIB),
      };
    },
  };
}

function ollamaServer(url: string) {
  /** No `ms`: as long as it takes. */
  const ask = async (path: string, body?: object, ms?: number, signal?: AbortSignal): Promise<unknown> => {
    const late = ms === undefined ? [] : [AbortSignal.timeout(ms)];
    const { request } = await import('undici');
    const answer = await request(url.replace(/\/+$/, '') + path, {
      method: body === undefined ? 'GET' : 'POST',
      signal: AbortSignal.any([...late, ...(signal === undefined ? [] : [signal])]),
      headersTimeout: 0,
      ...(body === undefined
        ? {}
        : {
            body: JSON.stringify({ ...body, stream: false }),
            headers: { 'content-type': 'application/json' },
          }),
    }).catch((cause: unknown) => {
      signal?.throwIfAborted();
      throw away(url, cause);
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw refused(url, answer.statusCode, text);
    return JSON.parse(text);
  };
  const told = async <T>(schema: z.ZodType<T>, path: string, signal?: AbortSignal): Promise<T> => {
    const answer = schema.safeParse(await ask(path, undefined, ANSWER_MS, signal));
    if (answer.success) return answer.data;
    throw new AutocodeError('ERR_ENGINE_UNAVAILABLE', `What answers at ${url} is not Ollama.`, {
      remedy: 'Set models.local.ollama.url to the Ollama server (port 11434 by default).',
    });
  };
  return {
    ask,
    names: async (signal?: AbortSignal) =>
      (await told(Tags, '/api/tags', signal)).models.map(({ name }) => name),
    running: async (signal?: AbortSignal) => (await told(Running, '/api/ps', signal)).models,
  };
}

/** Ollama's own spelling of a name without a tag. */
const tagged = (name: string) =>
  name.slice(name.lastIndexOf('/') + 1).includes(':') ? name : `${name}:latest`;

// Ollama cuts what is longer than its context without a word.
function tooShort(loaded: Running | undefined, context: number): Health | undefined {
  const length = loaded?.context_length;
  if (length === undefined || length >= context) return undefined;
  return {
    state: 'failed',
    detail: `Ollama has loaded it with a context of ${length} tokens, and the catalogue says ${context}.`,
    remedy: `Start the Ollama server with OLLAMA_CONTEXT_LENGTH=${context}, or write "PARAMETER num_ctx ${context}" in its Modelfile.`,
    outOfMemory: false,
  };
}

function failureOf(error: unknown): Health {
  const { message, remedy } = error as AutocodeError;
  const outOfMemory = /out of memory|more system memory|insufficient memory/i.test(message);
  return {
    state: 'failed',
    detail: message,
    remedy: outOfMemory
      ? 'Free the GPUs, or lower the context of the model.'
      : (remedy ?? 'Look at the log of the Ollama server.'),
    outOfMemory,
  };
}

const isNobody = (error: unknown) =>
  ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code === 'ECONNREFUSED';

function away(url: string, cause: unknown): AutocodeError {
  const reason =
    (cause as Error).name === 'TimeoutError'
      ? `no answer within ${ANSWER_MS / 1000} s`
      : (cause as Error).message;
  return new AutocodeError('ERR_ENGINE_UNAVAILABLE', `Ollama at ${url} does not answer: ${reason}.`, {
    remedy: 'Start it (`ollama serve`), or set models.local.ollama.url to its address.',
    cause,
  });
}

function refused(url: string, status: number, text: string): AutocodeError {
  const said = Refusal.safeParse(parsed(text)).data?.error ?? text.trim().slice(0, 300);
  return new AutocodeError('ERR_ENGINE_UNAVAILABLE', `Ollama at ${url} answers ${status}: ${said}`, {
    remedy: 'Look at the log of the Ollama server.',
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unknown(url: string, name: string): AutocodeError {
  return new AutocodeError('ERR_ENGINE_UNAVAILABLE', `Ollama at ${url} has no model ${name}.`, {
    remedy: `Bring it there (\`ollama create ${name} -f Modelfile\`, or \`ollama pull ${name}\` where there is a network); \`ollama list\` shows what it has.`,
  });
}

function spreadsItself(name: string): AutocodeError {
  return new AutocodeError(
    'ERR_CONFIG',
    `The model ${name} cannot be told to use several GPUs: Ollama decides that itself.`,
    {
      remedy: 'Leave tensorParallel out in the catalogue, or run the model by vllm.',
    },
  );
}

function stays({ served }: Handle): AutocodeError {
  return new AutocodeError(
    'ERR_ENGINE_UNAVAILABLE',
    `Ollama does not unload ${served} within ${GONE_MS / 1000} s.`,
    {
      remedy: 'It answers a request still, maybe of somebody else; it is tried again.',
    },
  );
}
