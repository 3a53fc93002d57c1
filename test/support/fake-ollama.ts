// A stand-in for Ollama on loopback, as docs/api.md of Ollama tells (list, load and unload models, list those that run,
// errors) and its OpenAI compatibility: `await using ollama = await startFakeOllama({ models: ['qwen2.5-coder:7b'] })`.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

const GIB = 1024 ** 3;

/** Starts it; `contextLength`: as OLLAMA_CONTEXT_LENGTH would say. */
export async function startFakeOllama({
  models,
  contextLength = 32_768,
}: {
  models: string[];
  contextLength?: number;
}) {
  const running = new Map<string, { expires: string }>();
  const requests: { path: string; body: Record<string, unknown> }[] = [];
  let loading: Promise<unknown> = Promise.resolve();
  let refusal: string | undefined;
  /** Answers that are being given; a model is unloaded after its last one. */
  let answering: Promise<unknown> = Promise.resolve();

  const load = async (name: string, keepAlive: unknown): Promise<[number, object]> => {
    const known = models.find((each) => each === name || each === `${name}:latest`);
    if (known === undefined) return [404, { error: `model '${name}' not found` }];
    const done = { model: name, created_at: new Date().toISOString(), response: '', done: true };
    if (keepAlive === 0) {
      void answering.then(() => running.delete(known)); // the answer does not wait for it
      return [200, { ...done, done_reason: 'unload' }];
    }
    await loading;
    if (refusal !== undefined) return [500, { error: refusal }];
    running.set(known, {
      expires: keepAlive === -1 ? '2318-10-01T00:00:00Z' : new Date(Date.now() + 300_000).toISOString(),
    });
    return [200, { ...done, done_reason: 'load' }];
  };
  const answer = async (path: string, body: Record<string, unknown>): Promise<[number, object]> => {
    if (path === '/api/version') return [200, { version: '0.12.6' }];
    if (path === '/api/tags')
      return [
        200,
        { models: models.map((name) => ({ name, model: name, size: 5 * GIB, digest: 'c6eb', details: {} })) },
      ];
    if (path === '/api/ps') {
      const each = { size: 6 * GIB, size_vram: 5 * GIB, digest: 'c6eb', context_length: contextLength };
      return [
        200,
        {
          models: [...running].map(([name, { expires }]) => ({
            name,
            model: name,
            expires_at: expires,
            ...each,
          })),
        },
      ];
    }
    const name = String(body['model']);
    if (path === '/api/generate') return await load(name, body['keep_alive']);
    if (path === '/v1/completions') {
      const [status, error] = await load(name, undefined); // what is asked is loaded
      if (status !== 200) return [status, error];
      const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
      return [
        200,
        {
          object: 'text_completion',
          model: name,
          choices: [{ text: 'a', index: 0, finish_reason: 'length' }],
          usage,
        },
      ];
    }
    return [404, { error: 'not found' }];
  };

  const server = http.createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    requests.push({ path: request.url!, body });
    const [status, json] = await answer(request.url!, body);
    response
      .writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
      .end(JSON.stringify(json));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    /** Names of the models that it has loaded. */
    loaded: () => [...running.keys()],
    /** Loads take until then. */
    loadsAfter: (moment: Promise<unknown>) => void (loading = moment),
    /** Loads fail with this. */
    refuses: (error: string | undefined) => void (refusal = error),
    /** It answers a request until then. */
    answersUntil: (moment: Promise<unknown>) => void (answering = moment),
    /** As after a restart of the server, or when it needed the memory for another model. */
    unloadsAll: () => running.clear(),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, 'close');
    },
  };
}
