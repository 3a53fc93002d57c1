// The way of a task, on a whole appliance, with shell scripts as agents: what it ends as, and what a kill -9 does to it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { commandOf, eventually, OWN_POSTGRES, processesOf, startAppliance } from './appliance.ts';

const SETTINGS = [
  'limits.maxIterations=2',
  'limits.verifyTimeoutMinutes=0.15',
  'limits.retries.agent=0',
  'worker.concurrency=4',
];
const appliance = await startAppliance(OWN_POSTGRES, ...SETTINGS);
after(() => appliance[Symbol.asyncDispose]());

const RIGHT = 'echo 42 > answer';
/** Says that it began, waits until it may go on, then does the work. */
const waiting = (flag: string) =>
  `touch ${flag}.begun; while ! test -e ${flag}.go; do sleep 0.1; done; ${RIGHT}`;
const flagOf = (name: string) => path.join(appliance.directory, `flag-${name}`);
const begun = async (flag: string) =>
  await eventually(() => Promise.resolve(existsSync(`${flag}.begun`) || undefined), `${flag} to begin`);
const go = (flag: string) => writeFileSync(`${flag}.go`, '');
const git = (where: string, ...args: string[]) =>
  execFileSync('git', ['-C', where, ...args], { encoding: 'utf8' });

test('a task becomes one commit on a branch of the repository, and a change whose checks were run before and after', async () => {
  const where = await appliance.project('plain', {
    agent: `cat > /dev/null; ${RIGHT}; git commit -qam 'by the agent'`,
  });
  const id = await appliance.task('plain', 'Make the answer right', { acceptance: ['it is 42'] });
  const task = await appliance.ended(id);
  assert.equal(task.state, 'completed', task.reason ?? '');
  const [change] = await appliance.changes('plain');
  assert.equal(change?.branch, `autocode/${id}-make-the-answer-right`);
  assert.equal(git(where, 'show', `${change.branch}:answer`), '42\n');
  assert.equal(git(where, 'rev-list', '--count', `main..${change.branch}`).trim(), '1');
  assert.match(git(where, 'log', '-1', '--format=%B', change.branch), new RegExp(`Autocode-Run: ${id}-1`));
  assert.match(change.body, /it is 42/);
  const [run] = await appliance.runs(id);
  assert.equal(run?.checks[0]?.base?.status, 'failed');
  assert.equal(run?.checks[0]?.head?.status, 'passed');
  assert.deepEqual(
    run?.logs.map((log) => log.state),
    ['complete', 'complete'],
  );
});

test('an agent that exits 0 without having done it fails; its work is kept and nothing is opened', async () => {
  await appliance.project('wrong', { agent: 'echo 43 > answer' });
  const id = await appliance.task('wrong');
  const task = await appliance.ended(id);
  assert.equal(task.state, 'failed');
  assert.match(task.reason ?? '', /test/);
  assert.deepEqual(await appliance.changes('wrong'), []);
  const [run] = await appliance.runs(id);
  assert.equal(run?.cause, 'agent');
  assert.equal(run?.iterations, 2);
  assert.match(await appliance.autocode('task', 'diff', String(id)), /\+43/);
});

test('a run that changes nothing says so and opens nothing', async () => {
  await appliance.project('idle', { agent: 'true', verify: [{ name: 'ok', command: 'true' }] });
  const task = await appliance.ended(await appliance.task('idle'));
  assert.equal(task.state, 'completed');
  assert.match(task.reason ?? '', /nothing|no change/i);
  assert.deepEqual(await appliance.changes('idle'), []);
});

test('a branch that does not exist fails the task at once and names those that do', async () => {
  await appliance.project('branchless', { agent: RIGHT });
  const id = await appliance.task('branchless', 'x', { baseBranch: 'no-such' });
  const task = await appliance.ended(id);
  assert.equal(task.state, 'failed');
  assert.match(task.reason ?? '', /no-such.*main/s);
  assert.equal((await appliance.runs(id)).length, 1);
});

test('a verify command that hangs is ended, and one that prints without end is cut', async () => {
  const verify = [
    { name: 'hang', command: 'sleep 1000' },
    { name: 'flood', command: 'head -c 100000000 /dev/zero | tr "\\0" x; echo; test "$(cat answer)" = 42' },
  ];
  await appliance.project('noisy', { agent: RIGHT, verify, limits: { maxIterations: 1 } });
  const id = await appliance.task('noisy');
  assert.equal((await appliance.ended(id)).state, 'failed');
  const [run] = await appliance.runs(id);
  const [hang, flood] = run?.checks ?? [];
  assert.equal(hang?.head?.status, 'timed-out');
  assert.equal(flood?.head?.status, 'passed');
  assert.ok((run?.logs.reduce((sum, log) => sum + log.bytes, 0) ?? 0) < 60_000_000);
});

test('cancelling ends the agent and all that it started within seconds', async () => {
  const flag = flagOf('cancel');
  await appliance.project('cancelled', { agent: `setsid sleep 4321 & ${waiting(flag)}` });
  const id = await appliance.task('cancelled');
  await begun(flag);
  await appliance.autocode('task', 'cancel', String(id));
  assert.equal((await appliance.ended(id)).state, 'cancelled');
  const left = () =>
    processesOf(flag)
      .concat(processesOf(`${id}-1`))
      .filter((pid) => commandOf(pid).includes('sleep 4321'));
  await eventually(() => Promise.resolve(left().length === 0 || undefined), 'the sleeper to end', 10_000);
});

const KILLED: [what: string, pid: () => number | undefined, attempts: number[]][] = [
  [
    'the worker',
    () => processesOf(appliance.dataDir).find((pid) => commandOf(pid).includes('worker-agent/main.ts')),
    [1],
  ],
  ['PostgreSQL', () => postmaster(), [1]],
  [
    'the runner',
    () => processesOf(appliance.dataDir).find((pid) => commandOf(pid).includes('runner/main.ts')),
    [2],
  ],
  ['the daemon', () => appliance.daemonPid(), [1]],
];
for (const [what, pidOf, attempts] of KILLED) {
  test(`kill -9 of ${what} in the middle of a run: the task ends once, with one change`, async () => {
    const name = what.toLowerCase().replaceAll(' ', '-');
    const flag = flagOf(name);
    await appliance.project(name, { agent: waiting(flag) });
    const id = await appliance.task(name);
    await begun(flag);
    const pid = pidOf();
    assert.ok(pid !== undefined, `${what} runs`);
    process.kill(pid, 'SIGKILL');
    if (what === 'the daemon') await appliance.up();
    go(flag);
    const task = await appliance.ended(id);
    assert.equal(task.state, 'completed', task.reason ?? '');
    assert.ok(attempts.includes(task.attempt), `${task.attempt} attempts`);
    assert.equal((await appliance.changes(name)).length, 1);
    const runs = await appliance.runs(id);
    assert.equal(runs.at(-1)?.state, 'succeeded');
    assert.deepEqual(
      runs.at(-1)?.logs.map((log) => log.state),
      ['complete', 'complete'],
    );
  });
}

test('a daemon that is stopped and started again in the middle of a run loses nothing', async () => {
  const flag = flagOf('restart');
  await appliance.project('restart', { agent: waiting(flag) });
  const id = await appliance.task('restart');
  await begun(flag);
  await appliance.autocode('down');
  go(flag);
  await appliance.up();
  const task = await appliance.ended(id);
  assert.equal(task.state, 'completed', task.reason ?? '');
  assert.equal(task.attempt, 1);
});

test('the same idempotency key gives the same task', async () => {
  await appliance.project('once', { agent: RIGHT });
  const ids = await Promise.all([1, 2, 3].map(() => appliance.task('once', 'x', { idempotencyKey: 'k' })));
  assert.equal(new Set(ids).size, 1);
  await appliance.ended(ids[0]!);
});

test('a second daemon on the same directory is refused and says so', async () => {
  await assert.rejects(appliance.autocode('up'), (error: Error & { stderr?: string; code?: number }) => {
    assert.match(error.stderr ?? '', /in use|already|runs/);
    return error.code === 5;
  });
});

function postmaster(): number | undefined {
  const file = path.join(appliance.dataDir, 'postgres/data/postmaster.pid');
  return Number(readFileSync(file, 'utf8').split('\n')[0]) || undefined;
}
