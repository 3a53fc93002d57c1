// What the tests of hard repositories share: repositories made by plain git, and a task on each to its end.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Change } from '../../protocol/change.ts';
import type { Project } from '../../protocol/project.ts';
import type { Run } from '../../protocol/run.ts';
import type { Task } from '../../protocol/task.ts';
import type { Appliance } from './appliance.ts';

const ME = {
  GIT_AUTHOR_NAME: 't',
  GIT_AUTHOR_EMAIL: 't@example.org',
  GIT_COMMITTER_NAME: 't',
  GIT_COMMITTER_EMAIL: 't@example.org',
};
export const ENV = {
  PATH: process.env.PATH,
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  LC_ALL: 'C',
  ...ME,
};
export const RIGHT = 'echo 42 > answer';

export function git(where: string, ...args: string[]): string {
  return execFileSync('git', ['-c', 'safe.directory=*', '-c', 'core.hooksPath=/dev/null', ...args], {
    cwd: where,
    env: ENV,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 28,
  });
}

interface Outcome {
  task: Task;
  run: Run;
  change: Change | undefined;
}

/** The functions that make and work on repositories of one appliance. */
export function repositoryWork(appliance: Appliance) {
  /** A repository with a wrong answer in it and what `fill` adds, as one commit. */
  function repository(name: string, fill: (where: string) => void = () => {}): string {
    const where = path.join(appliance.directory, name);
    mkdirSync(where);
    git(where, 'init', '-q', '-b', 'main');
    writeFileSync(path.join(where, 'answer'), '41\n');
    fill(where);
    git(where, 'add', '--all');
    git(where, 'commit', '-qm', 'begin');
    return where;
  }

  /** A repository made by fast-import, for what would take a file system long. */
  function imported(name: string, commands: Iterable<string>): string {
    const where = repository(name);
    const stream = [...commands].join('\n');
    execFileSync('git', ['fast-import', '--quiet', '--force'], {
      cwd: where,
      env: ENV,
      input: stream,
      maxBuffer: 1 << 28,
    });
    git(where, 'reset', '-q', '--mixed');
    return where;
  }

  async function add(name: string, where: string, more: object = {}): Promise<Project> {
    const verify = [{ name: 'test', command: 'test "$(cat answer)" = 42' }];
    return await appliance.api<Project>('POST', '/projects', {
      name,
      repository: where,
      trusted: true,
      isolation: 'directory', // the harder case: what is planted could run
      agent: 'command',
      verify,
      allowDirty: true,
      ...more,
    });
  }

  /** One task on a repository, to its end. */
  async function work(where: string, agent = RIGHT, more: object = {}): Promise<Outcome> {
    const name = path.basename(where);
    await add(name, where, { agentCommand: ['sh', '-c', agent], ...more });
    const task = await appliance.ended(await appliance.task(name));
    const [run] = await appliance.runs(task.id);
    assert.ok(run !== undefined);
    return { task, run, change: (await appliance.changes(name))[0] };
  }

  /** The same, which must succeed; gives the paths that its change touches. */
  async function changed(where: string, agent = RIGHT, more: object = {}): Promise<string[]> {
    const { task, change } = await work(where, agent, more);
    assert.equal(task.state, 'completed', task.reason ?? '');
    assert.ok(change !== undefined, task.reason ?? '');
    assert.equal(git(where, 'show', `${change.branch}:answer`), '42\n');
    return git(where, 'diff', '--name-only', '--no-renames', '-z', `${change.branch}^`, change.branch)
      .split('\0')
      .filter(Boolean);
  }

  return { repository, imported, add, work, changed };
}

/** The words of an answer that is a refusal of the user's input, never a failure of the server. */
export async function refused(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => assert.fail('it was not refused'),
    (caught: unknown) => caught as Error,
  );
  assert.match(error.message, / 4(09|22) /);
  return error.message;
}
