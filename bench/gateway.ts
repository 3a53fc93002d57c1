// What the model gateway adds to an engine's streams: time to the first content, processor time, streams a second; keys, budgets,
// ledger and records on, on a durable PostgreSQL. Beside it, in the same run: a parse floor, Portkey and LiteLLM.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startPostgres } from '../orchestrator/db/supervisor.ts';
import { litellm, parseFloor, portkey, type Served } from './peers/gateways.ts';
import { report, type Measurement } from './report.ts';
import { percentile } from './support/measure.ts';
import { meteredGateway } from './support/metered-gateway.ts';
import { memoryMb, start } from './support/processes.ts';
import { loadStreams, type Measured } from './support/streams.ts';

const STREAMS = [1, 50, 200];
const PROMPTS = { small: 800, large: 600_000 };
type Prompt = keyof typeof PROMPTS;
const IDLE_MS = 5_000;
// So short that nothing of it could be a matter of chance but for one stream; LiteLLM's streams take up to half a minute.
const SECONDS: Record<number, number> = { 1: 2.5, 50: 6, 200: 6 };
const SLOW_SECONDS = 14;

const directory = mkdtempSync(join(tmpdir(), 'autocode-bench-gateway-'));
const postgres = await startPostgres({ cluster: join(directory, 'cluster'), url: undefined, log: () => {} });
const engine = await start([process.execPath, join(import.meta.dirname, 'support/streaming-engine.ts')], {
  line: true,
});
const running: Served[] = [];
try {
  const port = Number(engine.line);
  const own = await meteredGateway({
    directory,
    databaseUrl: postgres.url,
    postgresPid: Number(readFileSync(join(directory, 'cluster/postmaster.pid'), 'utf8').split('\n')[0]),
    engine: port,
    runs: Math.max(...STREAMS),
  });
  running.push(own);
  await delay(IDLE_MS);
  const idle = memoryMb(own.pids[0]!);
  running.push(await parseFloor(port));
  for (const peer of [portkey, litellm]) {
    try {
      running.push(await peer(port, directory));
    } catch (error) {
      console.error(`${peer.name} could not be had, so nothing is measured against it: ${String(error)}`);
    }
  }
  const direct: Served = {
    ...running[0]!,
    name: 'direct',
    url: `http://127.0.0.1:${port}/v1/chat/completions`,
    pids: [engine.pid],
  };
  const figures = await measureAll([direct, ...running]);
  console.error(
    `memory: ${running.map(({ name, pids }) => `${name} ${memoryMb(pids[0]!).toFixed(0)} MB`).join(', ')}`,
  );
  report(
    'gateway',
    targets(
      figures,
      idle,
      running.map(({ name }) => name),
    ),
  );
} finally {
  for (const { stop } of running) await stop();
  await engine.stop();
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}

type Figures = (name: string, prompt: Prompt, streams: number) => Measured;

/** Every gateway under every load; those that are compared come one after the other. */
async function measureAll(all: Served[]): Promise<Figures> {
  const figures = new Map<string, Measured>();
  const figure: Figures = (name, prompt, streams) => figures.get(`${name} ${prompt} ${streams}`)!;
  for (const prompt of Object.keys(PROMPTS) as Prompt[]) {
    for (const streams of STREAMS) {
      console.error(`\n${streams} streams, prompts of ${PROMPTS[prompt]} bytes`);
      console.error('gateway        streams/s   CPU ms/stream   first content added p50, p99 ms   errors');
      for (const served of all) {
        const slow = served.name === 'LiteLLM' && streams === 200;
        const seconds = slow ? SLOW_SECONDS : SECONDS[streams]!;
        const load = { ...served, streams, promptBytes: PROMPTS[prompt], seconds };
        const measured = await loadStreams(load);
        figures.set(`${served.name} ${prompt} ${streams}`, measured);
        tell(served.name, measured, figure('direct', prompt, streams));
      }
    }
  }
  return figure;
}

function tell(name: string, measured: Measured, direct: Measured): void {
  const { streamsPerSecond, cpu, errors } = measured;
  const [own = 0, database] = cpu;
  console.error(
    [
      name.padEnd(14),
      streamsPerSecond.toFixed(1).padStart(9),
      `${own.toFixed(2)}${database === undefined ? '' : ` + ${database.toFixed(2)} PG`}`.padStart(15),
      [0.5, 0.99]
        .map((share) => added(measured, direct, share).toFixed(1))
        .join(', ')
        .padStart(33),
      Object.keys(errors).length === 0 ? '' : `   ${JSON.stringify(errors)}`,
    ].join(' '),
  );
}

function added(measured: Measured, direct: Measured, share: number): number {
  return percentile(measured.first, share) - percentile(direct.first, share);
}

function targets(of: Figures, idle: number, names: string[]): Measurement[] {
  const cpu = (name: string, prompt: Prompt) => of(name, prompt, 50).cpu[0]!;
  const rate = (name: string) => of(name, 'small', 200).streamsPerSecond;
  const first = (name: string, streams: number, share: number) =>
    added(of(name, 'small', streams), of('direct', 'small', streams), share);
  const [own, floor] = ['Autocode', 'parse floor'];
  const against = { Portkey: 1.4, LiteLLM: 20 };
  return [
    {
      name: 'CPU a stream at 50, against the parse floor',
      value: cpu(own, 'small') / cpu(floor, 'small'),
      unit: 'times',
      atMost: 2,
    },
    {
      name: 'CPU a stream at 50 with prompts of 600 kB, against the parse floor',
      value: cpu(own, 'large') / cpu(floor, 'large'),
      unit: 'times',
      atMost: 1.5,
    },
    {
      name: 'streams a second at 200, against the parse floor',
      value: rate(own) / rate(floor),
      unit: 'times',
      atLeast: 0.8,
    },
    ...Object.entries(against)
      .filter(([name]) => names.includes(name))
      .map(([name, atLeast]) => ({
        name: `streams a second at 200, against ${name}`,
        value: rate(own) / rate(name),
        unit: 'times',
        atLeast,
      })),
    { name: 'first content added at 50, p50', value: first(own, 50, 0.5), unit: 'ms', atMost: 3 },
    { name: 'first content added at 50, p99', value: first(own, 50, 0.99), unit: 'ms', atMost: 15 },
    {
      name: 'first content added at 200, p99, against the parse floor',
      value: first(own, 200, 0.99) / first(floor, 200, 0.99),
      unit: 'times',
      atMost: 2,
    },
    { name: 'the gateway as a process of its own, idle', value: idle, unit: 'MB', atMost: 120 },
  ];
}
