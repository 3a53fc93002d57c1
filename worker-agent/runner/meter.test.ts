// What heartbeats and the report tell of a run that takes memory and time, with control groups and without.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SandboxUsage } from '../../protocol/sandbox-usage.ts';
import { workplace } from '../testing/workplace.ts';

/** Takes 200 MiB, then spins until it is ended. */
const HUNGRY = ['perl', '-e', 'my $held = "x" x shift; 1 while 1', String(200 * 2 ** 20)];

const isHungry = (usage: SandboxUsage | undefined) =>
  usage !== undefined &&
  usage.memoryMib >= 200 &&
  usage.cores > 0 &&
  usage.processes > 0 &&
  usage.diskMib !== null;

test('heartbeats tell memory, time and processes as of now, the report the most; one that does not take it is told nothing', async () => {
  await using place = await workplace({ 'answer.txt': '41\n' });
  const { fake } = place;
  const runs = (['bubblewrap', 'directory'] as const).map((isolation) =>
    fake.add({ isolation, agentCommand: HUNGRY }),
  );
  const untold = fake.add({
    agentCommand: ['true'],
    lease: { heartbeatSeconds: 0.2, leaseSeconds: 3, selfStopSeconds: 60, takesUsage: false },
  });
  place.worker(3);
  for (const run of runs) {
    const { isolation } = run.order;
    await fake.until(`the use of ${isolation}`, () => isHungry(run.usage), 90);
    assert.ok(run.usage!.memoryMib < 300, JSON.stringify(run.usage));
    fake.cancel(run);
    await fake.until(`the end of ${isolation}`, () => run.finish !== null, 90);
    assert.equal(run.finish!.outcome, 'cancelled');
    const last = run.finish!.sandboxUsage!;
    assert.ok(last.peakMib >= 200 && last.peakMib < 300, JSON.stringify(last));
    assert.ok(last.cpuSeconds >= 0.1, JSON.stringify(last));
    assert.deepEqual([last.memoryMib, last.processes], [0, 0], 'nothing is left of it');
    assert.notEqual(last.diskMib, null);
  }
  await fake.until('the end of the run', () => untold.finish !== null, 90);
  assert.ok(untold.heartbeats > 0);
  assert.deepEqual([untold.usage, untold.finish!.sandboxUsage], [undefined, undefined]);
});
