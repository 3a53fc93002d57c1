// The caches of dependencies in a run: what the project's own commands have fetched is left for later ones, when the run went well.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { pipelinePlace, type PipelineDone } from '../testing/pipeline-run.ts';

const place = await pipelinePlace();
after(async () => await place[Symbol.asyncDispose]());

interface Run {
  /** What the agent writes; null: nothing. */
  answer?: number | null;
  command?: string;
  versions?: string[];
  clearedMeanwhile?: boolean;
}

/** A check that leaves a line in a cache each time, two bytes. */
const FETCH = 'echo . >> ~/.npm/_cacache/fetched';

async function run({
  answer = 42,
  command = `${FETCH} && grep -q 42 answer.txt`,
  versions = [],
  clearedMeanwhile = false,
}: Run): Promise<PipelineDone & { told: string }> {
  const dependencies = { kept: true, repository: 3, generation: 7, versions };
  const done = await place.try({
    order: {
      verify: [{ name: 'answer', command }],
      limits: { maxIterations: 1, verifyTimeoutSeconds: 10, verifyOutputBytes: 1000 },
    },
    begin: (fake) => (fake.dependencies = dependencies),
    act(_, tree) {
      dependencies.kept = !clearedMeanwhile;
      writeFileSync(path.join(tree, '../home/.npm/_cacache/poison'), 'much of it');
      if (answer !== null) writeFileSync(path.join(tree, 'answer.txt'), `${answer}\n`);
    },
  });
  const told = done.events.flatMap((event) => (event.type === 'notice' ? [event.text] : [])).join('\n');
  return { ...done, told };
}

const left = ({ run: { leftDependencies } }: PipelineDone) =>
  leftDependencies.map(({ generation, kind, bytes }) => [generation, kind, bytes]);

test('the checks of base and result fill them, the agent does not; the next run goes on from there', async () => {
  const first = await run({});
  assert.equal(first.report.outcome, 'verified', first.report.reason);
  assert.deepEqual(left(first), [[7, 'directory', 4]]);
  const versions = [first.run.order.run];
  const second = await run({
    versions,
    command: `${FETCH} && grep -q 42 answer.txt && test ! -e ~/.npm/_cacache/poison`,
  });
  assert.match(second.told, new RegExp(`have what run ${versions[0]} left`));
  assert.equal(second.report.outcome, 'failed', "the agent's own sandbox has what it put there");
  assert.deepEqual(left(second), []);
  const third = await run({ versions });
  assert.deepEqual(left(third), [[7, 'directory', 8]]);
});

test('a run whose checks do not pass leaves nothing', async () => {
  const failed = await run({ answer: 41 });
  assert.equal(failed.report.outcome, 'failed');
  assert.deepEqual(left(failed), []);
});

test('a run that changes nothing leaves what its base has fetched, if that passes', async () => {
  const unchanged = await run({ answer: null, command: FETCH });
  assert.equal(unchanged.report.outcome, 'no-change');
  assert.deepEqual(left(unchanged), [[7, 'directory', 2]]);
});

test('what was cleared meanwhile is not kept, and the run goes on', async () => {
  const done = await run({ clearedMeanwhile: true });
  assert.equal(done.report.outcome, 'verified');
  assert.match(done.told, /are not kept; those from before stay\. .*cleared/);
  const next = await run({ versions: [done.run.order.run] });
  assert.doesNotMatch(next.told, /Package managers have/);
});
