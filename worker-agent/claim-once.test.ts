// The worker of a dispatched allocation, over a real runner service.
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { claimOnce } from './claim-once.ts';
import { takeSeat } from './runner-service/client.ts';
import type { FakeRun } from './testing/fake-orchestrator.ts';
import { endWorker, workplace } from './testing/workplace.ts';

const UNTIL_GO = ['sh', '-c', 'while [ ! -e ../../../../go ]; do sleep 0.05; done'];
const ONCE = { name: 'run-1', placement: 'dispatch' };
const atWork = (run: FakeRun) => run.progress.some(({ iterations }) => iterations === 1);

test('it takes one run of several, beside the claimer of the machine, and ends when that has', async () => {
  await using place = await workplace({ 'answer.txt': '41\n' });
  const { fake } = place;
  place.runnerService();
  place.claimer({ concurrency: 0 });
  const runs = [fake.add({ agentCommand: UNTIL_GO }), fake.add({})];
  const claimer = place.claimer(ONCE);
  await fake.until('the agent at work', () => atWork(runs[0]!));
  assert.equal(fake.workers.get('run-1')?.capacity, 1);
  assert.equal(claimer.exitCode, null);
  writeFileSync(path.join(place.stateDir, 'go'), '');
  assert.equal(await place.endOf(claimer), 0);
  assert.deepEqual(
    runs.map(({ finish }) => finish?.outcome),
    ['no-change', undefined],
  );
});

test('one that was killed waits, started again, for the run that it has', async () => {
  await using place = await workplace({ 'answer.txt': '41\n' });
  const { fake } = place;
  place.runnerService();
  const runs = [fake.add({ agentCommand: UNTIL_GO }), fake.add({})];
  const first = place.claimer(ONCE);
  await fake.until('the agent at work', () => atWork(runs[0]!));
  await endWorker(first, 'SIGKILL');
  const second = place.claimer(ONCE);
  await fake.until('the second', () => place.output().split('waits for the end of run 1-1').length === 3);
  writeFileSync(path.join(place.stateDir, 'go'), '');
  assert.equal(await place.endOf(second), 0);
  assert.equal(fake.claims.length, 1);
});

test('where there is nothing to do it ends after its time, and leaves no claim', async () => {
  await using place = await workplace({ 'answer.txt': '41\n' });
  const { fake, directory, stateDir } = place;
  place.runnerService();
  const said: string[] = [];
  const log = {
    error: fail,
    warn: fail,
    info: (text: string) => void said.push(text),
    debug: fail,
    child: () => log,
  };
  const leave = new AbortController();
  const who = { worker: 'run-1', version: '0', allocation: null, once: true };
  const { runners } = await takeSeat(path.join(directory, 'runner.sock'), who, log, leave.signal);
  const config = {
    url: fake.url,
    tokenFile: path.join(directory, 'token'),
    name: 'run-1',
    concurrency: 1,
    labels: [],
    placement: 'dispatch' as const,
  };
  await claimOnce({ config, version: '0', runners, log }, leave.signal, 0.2);
  leave.abort();
  assert.equal(said.at(-1), 'nothing to do');
  assert.deepEqual(readdirSync(path.join(stateDir, 'claims')), []);
});

function fail(text: string): void {
  assert.fail(text);
}
