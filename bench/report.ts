// The last line of every benchmark: its measurements as one JSON object, and the exit code that goes with them.
// Used by the benchmarks beside it; read by people and by continuous integration.
import os from 'node:os';

/** One measured number; with a bar, the benchmark fails when the value is above it. */
export type Measurement = { name: string; value: number; unit: string; bar?: number };

/** Prints the result line of a benchmark and sets the exit code: 1 if a measurement is above its bar. */
export function report(bench: string, measurements: Measurement[]): void {
  const measured = measurements.map((one) => ({
    ...one,
    value: Number(one.value.toPrecision(4)),
    ok: one.value <= (one.bar ?? Infinity),
  }));
  const ok = measured.every((one) => one.ok);
  const machine = {
    cpus: os.availableParallelism(),
    memoryMb: Math.round(os.totalmem() / 2 ** 20),
    node: process.versions.node,
  };
  console.log(JSON.stringify({ bench, ok, at: new Date().toISOString(), machine, measurements: measured }));
  if (!ok) process.exitCode = 1;
}
