// A real runner service with real claimers: whatever is killed in between, a claimed run is started once and goes to its end.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { FakeRun } from '../testing/fake-orchestrator.ts';
import { endWorker, workplace, type Workplace } from '../testing/workplace.ts';

const SAMPLE = { 'answer.txt': '41\n' };
/** Works until the test lets it go on. */
const UNTIL_GO = ['sh', '-c', 'while [ ! -e ../../../../go ]; do sleep 0.05; done; echo 42 > answer.txt'];

const atWork = (run: FakeRun) => run.progress.some(({ iterations }) => iterations === 1);
const go = (place: Workplace) => writeFileSync(path.join(place.stateDir, 'go'), '');
const claims = (place: Workplace) => readdirSync(path.join(place.stateDir, 'claims'));

test('a run that a claimer hands over outlives the kill of claimer and service, and ends once', async () => {
  await using place = await workplace(SAMPLE);
  const { fake } = place;
  const run = fake.add({ agentCommand: UNTIL_GO });
  const service = place.runnerService();
  const claimer = place.claimer();
  await fake.until('the agent at work', () => atWork(run));
  const runner = place.runnerOf(run.order.run)!;
  assert.deepEqual(claims(place), []);
  await endWorker(claimer, 'SIGKILL');
  await endWorker(service, 'SIGKILL');
  place.claimer(); // the service may come later
  place.runnerService();
  await fake.until('the next claimer', () => place.output().split('registered as w1').length === 3);
  const next = fake.add({});
  assert.equal(place.runnerOf(run.order.run), runner);
  assert.equal(fake.claims.length, 1, 'the run takes room of the next claimer, too');
  go(place);
  await fake.until('the end of both', () => run.finish !== null && next.finish !== null);
  assert.equal(run.finish?.outcome, 'verified');
});

test('a service that is started anew has its claimer back, which takes the next run', async () => {
  await using place = await workplace(SAMPLE);
  const { fake } = place;
  const service = place.runnerService();
  const claimer = place.claimer();
  await fake.until('the registration', () => fake.workers.size === 1);
  await endWorker(service, 'SIGTERM');
  place.runnerService();
  const run = fake.add({});
  await fake.until('the end of the run', () => run.finish !== null);
  assert.equal(claimer.exitCode, null);
});

test('a claimer that was killed between claim and hand-over has its run asked for again under the same id', async () => {
  await using place = await workplace(SAMPLE);
  const { fake } = place;
  const service = place.runnerService();
  const claimer = place.claimer();
  await fake.until('the poll', () => fake.claims.length === 1);
  await endWorker(service, 'SIGKILL');
  const run = fake.add({});
  await fake.until('the hand-over that fails', () => place.output().includes('does not answer'));
  await endWorker(claimer, 'SIGKILL');
  assert.deepEqual(claims(place), fake.claims);
  place.runnerService();
  place.claimer();
  await fake.until('the end of the run', () => run.finish !== null);
  assert.equal(fake.claims[1], fake.claims[0]);
});

test('a second claimer is told who has the machine; a killed one leaves it free', async () => {
  await using place = await workplace(SAMPLE);
  place.runnerService();
  const first = place.claimer({ allocation: 'a1b2' });
  await place.fake.until('the registration', () => place.fake.workers.size === 1);
  assert.equal(await place.endOf(place.claimer({ name: 'w2' })), 1);
  assert.match(place.output(), /has a claimer already: worker w1 \(version [^)]+, Nomad's allocation a1b2\)/);
  await endWorker(first, 'SIGKILL');
  place.claimer({ name: 'w3' });
  await place.fake.until('the next one in the seat', () => place.fake.workers.has('w3'));
});

test('a claimer told to end leaves its runs to the service', async () => {
  await using place = await workplace(SAMPLE);
  const { fake } = place;
  const run = fake.add({ agentCommand: UNTIL_GO });
  place.runnerService();
  const claimer = place.claimer();
  await fake.until('the agent at work', () => atWork(run));
  await endWorker(claimer, 'SIGTERM');
  assert.equal(claimer.exitCode, 0);
  go(place);
  await fake.until('the end of the run', () => run.finish !== null);
});

test('a worker of the machine and the service refuse each other, and say what to do', async () => {
  await using place = await workplace(SAMPLE);
  const worker = place.worker();
  await place.fake.until('the registration', () => place.fake.workers.size === 1);
  const service = place.runnerService();
  assert.equal(await place.endOf(place.claimer({ name: 'w2' })), 1);
  assert.match(
    place.output(),
    /A worker of this machine's own uses .*systemctl disable --now autocode-worker/s,
  );
  await endWorker(worker, 'SIGTERM');
  place.claimer({ name: 'w3' });
  await place.fake.until('the claimer, once the worker is gone', () => place.fake.workers.has('w3'));
  assert.equal(await place.endOf(place.worker()), 1);
  assert.match(place.output(), /Another worker uses .*autocode-runner\.service/s);
  assert.equal(service.exitCode, null);
});

test('an agent that is not installed ends the claimer as wrong use; one that is, is all that it offers', async () => {
  await using place = await workplace(SAMPLE);
  place.runnerService();
  assert.equal(await place.endOf(place.claimer({ agent: 'devin' })), 2);
  assert.match(place.output(), /The agent devin is not installed on this machine\.\nInstalled are: command/);
  place.claimer({ agent: 'command' });
  await place.fake.until('the registration', () => place.fake.workers.size === 1);
  assert.deepEqual(
    place.fake.workers.get('w1')!.agents.map(({ name }) => name),
    ['command'],
  );
});

test('a socket of systemd is listened on, and neither runners nor agents inherit it', async () => {
  await using place = await workplace(SAMPLE);
  const { fake } = place;
  const run = fake.add({ agentCommand: [...UNTIL_GO.slice(0, 2), `ls /proc/self/fd; ${UNTIL_GO[2]}`] });
  place.runnerService('systemd');
  place.claimer();
  await fake.until('the agent at work', () => atWork(run));
  assert.deepEqual(listenersOf(place.runnerOf(run.order.run)!, place), []);
  go(place);
  await fake.until('the end of the run', () => run.finish !== null);
  assert.match(
    fake.log(run, 'raw').toString(),
    /0\n1\n2\n3\n(?!4)/,
    'the last is that of the listing itself',
  );
});

/** Descriptors of a process that are the service's socket. */
function listenersOf(pid: number, { directory }: Workplace): string[] {
  const inodes = readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .filter((line) => line.endsWith(`${directory}/runner.sock`))
    .map((line) => `socket:[${line.split(/\s+/)[6]}]`);
  assert.ok(inodes.length > 0, 'the socket is listened on');
  return readdirSync(`/proc/${pid}/fd`)
    .map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
    .filter((target) => inodes.includes(target));
}
