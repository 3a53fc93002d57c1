// The last line of every benchmark: its targets as one JSON object, and the exit code that goes with them.
// Used by the benchmarks beside it; read by people and by continuous integration.

/** One measured number and its goal: at most, or at least, so much. */
export type Measurement = { name: string; value: number; unit: string } & (
  | { atMost: number }
  | { atLeast: number }
);

/** Prints the result line of a benchmark and sets the exit code: 1 if a target is missed. */
export function report(bench: string, measurements: Measurement[]): void {
  const targets = measurements.map((measured) => {
    const { name, value, unit } = measured;
    const goal = 'atMost' in measured ? measured.atMost : measured.atLeast;
    const met = 'atMost' in measured ? value <= goal : value >= goal;
    return { name, value: Number(value.toPrecision(4)), goal, unit, met };
  });
  console.log(JSON.stringify({ bench, targets }));
  if (targets.some((target) => !target.met)) process.exitCode = 1;
}
