// A real worker process with real runners against a stand-in for the orchestrator.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workplace } from './testing/workplace.ts';

const SAMPLE = { 'README.md': '# sample\n', 'answer.txt': '41\n' };
const CHECK = [{ name: 'answer', command: 'grep -q 42 answer.txt' }];

test('a task becomes a verified commit on the base, with the log whole and nothing left behind', async () => {
  await using place = await workplace(SAMPLE);
  const { fake } = place;
  const run = fake.add({ verify: CHECK, agentCommand: ['sh', '-c', 'echo 42 > answer.txt; env; echo done'] });
  place.worker();
  await fake.until('the end of the run', () => run.finish !== null, 30).catch((e) => { console.error(place.output()); throw e; });
  assert.equal(run.finish?.outcome, 'verified');
  assert.equal(run.finish.headCommit, fake.pushed(run));
});
