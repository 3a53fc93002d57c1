// Models on the appliance's own GPUs: the time of a decision; swaps and waits over a trace, against serving in order and against least
// recently used; a restart that goes on with its engine; what the gateway adds to vLLM and Ray Serve (`--without-engines`: not these).
import fc from 'fast-check';
import { decide } from '../orchestrator/models/residency/decide.ts';
import type { ResidencyState } from '../orchestrator/models/residency/state.ts';
import { type Policy, simulate } from '../orchestrator/models/residency/testing/simulated.ts';
import { anyState } from '../orchestrator/models/residency/testing/states.ts';
import { report, type Measurement } from './report.ts';
import { percentile } from './support/measure.ts';
import { measureEngines } from './support/model-engines.ts';
import { firstComeFirstServed, leastRecentlyUsed } from './support/model-policies.ts';
import { CARDS, catalogueModels, recordedSessions } from './support/model-trace.ts';

const STATES = 3_000;
const DAY_MS = 86_400_000;
/** Memory of the machine for what sleeps: half of 128 GiB. */
const HOST_MIB = 65_536;
/** As the daemon has them with the settings as they are. */
const PATIENCE = { residencyMs: 60_000, longestWaitMs: 150_000 };

const measurements = [...decisions(), ...schedules()];
if (!process.argv.includes('--without-engines')) measurements.push(...(await engines()));
report('models', measurements);

/** Arbitrary states of ten models on two cards, the same ones each time; of three times the shortest: others' time does not count. */
function decisions(): Measurement[] {
  const states = fc.sample(anyState(10), { seed: 7, numRuns: STATES });
  for (const state of states.slice(0, 500)) decide(state);
  const timed = (state: ResidencyState) => {
    const began = performance.now();
    decide(state);
    return performance.now() - began;
  };
  const times = states.map((state) => Math.min(timed(state), timed(state), timed(state)));
  const [median, p99] = [percentile(times, 0.5), percentile(times, 0.99)];
  console.error(
    `decision: p50 ${median.toFixed(2)}, p99 ${p99.toFixed(2)}, most ${Math.max(...times).toFixed(1)} ms`,
  );
  return [{ name: 'decision for 10 models on 2 GPUs, p99', value: p99, unit: 'ms', atMost: 5 }];
}

function schedules(): Measurement[] {
  console.error('policy                    loads   wakings   swaps   wait: mean, p95, longest s');
  const own = schedule('decision loop', { decide });
  const others = [
    schedule('least recently used', leastRecentlyUsed),
    schedule('first come, first served', firstComeFirstServed),
  ];
  return others.flatMap(({ name, swaps, p95 }) => [
    { name: `swaps against ${name}`, value: own.swaps / swaps, unit: 'times', atMost: 0.99 },
    { name: `p95 wait against ${name}`, value: own.p95 / p95, unit: 'times', atMost: 0.99 },
  ]);
}

function schedule(name: string, policy: Policy): { name: string; swaps: number; p95: number } {
  const { waits, loads, wakes, unanswered, overcommitted } = simulate(
    {
      cards: CARDS,
      models: catalogueModels(),
      sessions: recordedSessions(),
      hostMib: HOST_MIB,
      untilMs: DAY_MS,
      ...PATIENCE,
    },
    policy,
  );
  if (unanswered + overcommitted.length > 0)
    throw new Error(`${name}: ${unanswered} unanswered, ${overcommitted[0]}`);
  const seconds = waits.map(({ waitedMs }) => waitedMs / 1000);
  const p95 = percentile(seconds, 0.95);
  const mean = seconds.reduce((sum, one) => sum + one, 0) / seconds.length;
  const figures = [mean, p95, Math.max(...seconds)].map((one) => one.toFixed(0)).join(', ');
  console.error(
    [
      name.padEnd(25),
      `${loads}`.padStart(5),
      `${wakes}`.padStart(9),
      `${loads + wakes}`.padStart(7),
      `   ${figures}`,
    ].join(' '),
  );
  return { name, swaps: loads + wakes, p95 };
}

async function engines(): Promise<Measurement[]> {
  const { streams, restarts } = await measureEngines();
  const told = restarts.map(({ serving, adopted }) => `${serving.toFixed(2)} + ${adopted.toFixed(2)}`);
  console.error(`kill -9 to serving, from there to an answer of the engine: ${told.join(', ')} s`);
  console.error('engine       first token: direct, gateway ms   16 tokens: direct, gateway ms');
  for (const { engine, direct, gateway } of streams) {
    const [first, total] = (['first', 'total'] as const).map((what) =>
      [direct, gateway].map((one) => one[what].toFixed(1)).join(', '),
    );
    console.error(`${engine.padEnd(12)} ${first!.padStart(32)} ${total!.padStart(29)}`);
  }
  return [
    {
      name: 'engine adopted after kill -9, longest of 5',
      value: Math.max(...restarts.map(({ adopted }) => adopted)),
      unit: 's',
      atMost: 2,
    },
    ...streams.map(({ engine, direct, gateway }) => ({
      name: `first token through the gateway, added to ${engine}, p50`,
      value: gateway.first - direct.first,
      unit: 'ms',
      atMost: 10,
    })),
  ];
}
