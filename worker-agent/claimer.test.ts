// A real worker process with real runners against a stand-in for the orchestrator.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { endWorker, workplace } from './testing/workplace.ts';

const SAMPLE = { 'README.md': '# sample\n', 'answer.txt': '41\n' };
const CHECK = [{ name: 'answer', command: 'grep -q 42 answer.txt' }];

test('a task becomes a verified commit on the base, with the log whole and nothing left behind', async () => {
  await using place = await workplace(SAMPLE);
  const { fake } = place;
  const run = fake.add({ verify: CHECK, agentCommand: ['sh', '-c', 'echo 42 > answer.txt; env'] });
  place.worker();
  await fake.until('the end of the run', () => run.finish !== null);
  assert.equal(run.finish?.outcome, 'verified');
  assert.equal(run.finish.headCommits[0]?.commit, fake.pushed(run));
  assert.deepEqual(
    [run.finish.checks[0]?.base?.status, run.finish.checks[0]?.head?.status],
    ['failed', 'passed'],
  );
  assert.deepEqual(run.finish.plan?.steps, [{ title: 'Make it work', status: 'completed' }]);
  const steps = fake
    .events(run)
    .filter((event) => event.type === 'step' && event.status === 'started')
    .map((event) => event.step);
  assert.deepEqual(steps, [
    'base',
    'workspace',
    'base-verify',
    'context',
    'plan',
    'execute',
    'verify',
    'push',
    'final-verify',
    'finish',
  ]);
  assert.deepEqual(run.progress.map(({ state }) => state).filter(Boolean), [
    'preparing',
    'working',
    'verifying',
    'verifying',
  ]);
  const said = fake.log(run, 'events').toString() + fake.log(run, 'raw').toString();
  for (const secret of ['host-secret', run.order.runToken, run.order.gatewayKey])
    assert.ok(!said.includes(secret), `${secret} is in the log`);
});

test('a claim that was not answered is asked again with the same id after a restart', async () => {
  await using place = await workplace(SAMPLE);
  const claims = path.join(place.stateDir, 'claims');
  const id = randomUUID();
  mkdirSync(claims, { recursive: true });
  writeFileSync(path.join(claims, id), '');
  const run = place.fake.add({});
  place.worker();
  await place.fake.until('the end of the run', () => run.finish !== null);
  assert.equal(place.fake.claims[0], id);
  assert.ok(!existsSync(path.join(claims, id)));
});

test('a worker takes as many runs at a time as it was told, and the next when one is done', async () => {
  await using place = await workplace(SAMPLE);
  const runs = [1, 2, 3].map(() =>
    place.fake.add({ agentCommand: ['sh', '-c', 'while [ ! -e ../../../../go ]; do sleep 0.05; done'] }),
  );
  place.worker(2);
  const working = () => runs.filter((run) => run.progress.some(({ state }) => state === 'working')).length;
  await place.fake.until('two runs at work', () => working() === 2);
  assert.equal(place.fake.claims.length, 2);
  writeFileSync(path.join(place.stateDir, 'go'), '');
  await place.fake.until('the end of all', () => runs.every((run) => run.finish !== null));
});

test('runs kept for another installation are stopped and removed', async () => {
  await using place = await workplace(SAMPLE);
  const run = place.fake.add({ agentCommand: ['sleep', '300'] });
  const worker = place.worker();
  await place.fake.until('the agent at work', () => run.progress.some(({ iterations }) => iterations === 1));
  await endWorker(worker, 'SIGTERM');
  place.fake.installation = randomUUID();
  place.worker();
  await place.fake.until(
    'nothing is kept',
    () => readdirSync(path.join(place.stateDir, 'runs')).length === 0,
  );
  assert.equal(run.finish, null);
});

test('a refused token is told with what to do, and the token file is read again', async () => {
  await using place = await workplace(SAMPLE);
  writeFileSync(path.join(place.directory, 'token'), 'wrong');
  const worker = place.worker();
  await place.fake.until('the refusal', () => place.output().includes('no Mend it.'));
  assert.equal(worker.exitCode, null);
});
