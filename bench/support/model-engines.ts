// The daemon with real engines on the processor, on two GPUs that are declared: vLLM with the tiny model of scripts/servers/inference,
// and Ray Serve with the application that ships, over a stand-in for vLLM's Python interface. Used by the benchmark of models.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { LocalModel, type LocalModelStatus } from '../../protocol/local-model.ts';
import { tinyModel, VLLM, WEIGHTS } from '../../test/support/inference.ts';
import { type Ray, startRay } from '../../test/support/ray.ts';
import { percentile } from './measure.ts';

/** In Ray's replicas, in place of vLLM's Python interface: two of the real one are too much for two cores. */
const STAND_IN = join(import.meta.dirname, '../../test/integration/ray-serve');
const AUTOCODE = join(import.meta.dirname, '../../autocode');
const run = promisify(execFile);
const LOAD_MS = 300_000;
const CALLS = 60;
const WARM = 10;
const KILLS = 5;

/** Milliseconds to the first token and to the end of a stream, the median of many. */
export interface Streamed {
  first: number;
  total: number;
}

export interface EngineFigures {
  /** By engine: straight to it, and through the gateway. */
  streams: { engine: string; direct: Streamed; gateway: Streamed }[];
  /** Seconds from the kill -9 of the daemon to the next one's serving, and from there to an answer of the engine that went on. */
  restarts: { serving: number; adopted: number }[];
}

/** Loads the models, measures, and leaves nothing behind. */
export async function measureEngines(): Promise<EngineFigures> {
  const directory = mkdtempSync(join(tmpdir(), 'autocode-bench-'));
  const ended = join(directory, 'ended');
  writeFileSync(ended, '');
  const environment = { STAND_IN_LOG: ended };
  await using ray = await startRay({ gpus: 2, pythonPath: STAND_IN, environment });
  const plain = LocalModel.parse({ name: 'ray-tiny', engine: 'ray-serve', path: 'tiny', context: 1024 });
  const models = [tinyModel({ name: 'vllm-tiny' }), plain];
  const appliance = applianceOf(directory, ray, models);
  const { autocode, api, ready, gatewayUrl } = appliance;
  try {
    await autocode('up', '--detach');
    const key = await autocode('key', 'create', 'bench');
    const streams: EngineFigures['streams'] = [];
    for (const { name, engine } of models) {
      await api('POST', `/local-models/${name}/commands`, { action: 'load' });
      const { endpoint } = await ready(name);
      const straight = { url: endpoint!, model: await servedName(endpoint!), key };
      const through = { url: await gatewayUrl(), model: `local/${name}`, key };
      streams.push({ engine, ...(await compare(straight, through)) });
    }
    return { streams, restarts: await killAndAsk(appliance, models[0]!.name, key) };
  } finally {
    await autocode('model', 'unload', '--all').catch(() => {});
    await autocode('down').catch(() => {});
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A daemon that can be started again over what the last one left. */
function applianceOf(directory: string, ray: Ray, models: readonly LocalModel[]) {
  const catalogue = join(directory, 'models.yaml');
  writeFileSync(catalogue, JSON.stringify({ models }));
  const dataDir = join(directory, 'data');
  const settings = [
    `dataDir=${dataDir}`,
    'worker.local=false',
    `models.local.catalogue=${catalogue}`,
    `models.local.weights=${WEIGHTS}`,
    `models.local.vllm=${VLLM}`,
    `models.local.gpus=${JSON.stringify([{ totalMib: 24_564 }, { totalMib: 24_564 }])}`,
    `models.local.ray.address=${ray.address}`,
    `models.local.ray.serveUrl=${ray.serveUrl}`,
  ].flatMap((setting) => ['--set', setting]);
  const autocode = async (...args: string[]) => (await run(AUTOCODE, [...args, ...settings])).stdout.trim();
  const daemon = () =>
    JSON.parse(readFileSync(join(dataDir, 'run/daemon.json'), 'utf8')) as { url: string; pid: number };
  const api = async <T>(method: string, route: string, body?: object) => {
    const token = readFileSync(join(dataDir, 'run/admin-token'), 'utf8').trim();
    const answer = await fetch(`${daemon().url}/api/v1${route}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${route}: ${await answer.text()}`);
    return (await answer.json()) as T;
  };
  const ready = async (model: string) => {
    for (const deadline = performance.now() + LOAD_MS; ; await delay(50)) {
      const status = await api<LocalModelStatus>('GET', `/local-models/${model}`);
      if (status.state === 'ready') return status;
      if (status.state === 'failed' || performance.now() > deadline) {
        throw new Error(`${model} is ${status.state}: ${status.problem ?? ''}`);
      }
    }
  };
  const gatewayUrl = async () => (await api<{ gatewayUrl: string }>('GET', '/status')).gatewayUrl;
  return { autocode, daemon, api, ready, gatewayUrl };
}

/** Kills the daemon and asks the next one, some times; the engine must be the same one throughout. */
async function killAndAsk(
  { autocode, daemon, ready, gatewayUrl }: ReturnType<typeof applianceOf>,
  model: string,
  key: string,
): Promise<EngineFigures['restarts']> {
  const { pid } = await ready(model);
  const restarts: EngineFigures['restarts'] = [];
  for (let kill = 0; kill < KILLS; kill += 1) {
    process.kill(daemon().pid, 'SIGKILL');
    const began = performance.now();
    await autocode('up', '--detach');
    const serving = performance.now();
    await stream({ url: await gatewayUrl(), model: `local/${model}`, key }, 'still there?');
    restarts.push({ serving: (serving - began) / 1000, adopted: (performance.now() - serving) / 1000 });
    if ((await ready(model)).pid !== pid) throw new Error('the engine was started anew');
  }
  return restarts;
}

interface Target {
  url: string;
  model: string;
  key: string;
}

async function servedName(url: string): Promise<string> {
  const { data } = (await (await fetch(`${url}/v1/models`)).json()) as { data: { id: string }[] };
  return data[0]!.id;
}

/** One after the other in turns, so that what else goes on meets both. */
async function compare(straight: Target, through: Target): Promise<{ direct: Streamed; gateway: Streamed }> {
  const [direct, gateway]: [Streamed[], Streamed[]] = [[], []];
  for (let call = 0; call < WARM + CALLS; call += 1) {
    const times = [await stream(straight, `direct ${call}`), await stream(through, `gateway ${call}`)];
    if (call < WARM) continue;
    direct.push(times[0]!);
    gateway.push(times[1]!);
  }
  const median = (all: Streamed[]) => ({
    first: percentile(
      all.map(({ first }) => first),
      0.5,
    ),
    total: percentile(
      all.map(({ total }) => total),
      0.5,
    ),
  });
  return { direct: median(direct), gateway: median(gateway) };
}

async function stream({ url, model, key }: Target, content: string): Promise<Streamed> {
  const began = performance.now();
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model,
      stream: true,
      max_tokens: 16,
      temperature: 0,
      messages: [{ role: 'user', content }],
    }),
  });
  if (!answer.ok) throw new Error(`${url} ${model}: ${answer.status} ${await answer.text()}`);
  let first = 0;
  let text = '';
  const decoder = new TextDecoder();
  for await (const bytes of answer.body!) {
    text += decoder.decode(bytes, { stream: true });
    if (first === 0 && /"content":\s*"[^"]/.test(text)) first = performance.now() - began;
  }
  if (first === 0 || !text.includes('[DONE]'))
    throw new Error(`a stream that is not whole: ${text.slice(-300)}`);
  return { first, total: performance.now() - began };
}
