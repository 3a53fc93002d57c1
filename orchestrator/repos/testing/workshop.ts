// What the tests of this folder share: a scratch directory with a store, repositories made by plain git as a user
// would, and a run in the database. Removed as a whole.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Database, Queryable } from '../../db/connect.ts';
import { prepareBase } from '../base.ts';
import { openForges } from '../forge/forges.ts';
import type { Forges } from '../forge/forges.ts';
import { createGit } from '../git.ts';
import { repositoryPath } from '../mirror.ts';
import type { RepositoryStore } from '../mirror.ts';

const PATH = '/usr/local/bin:/usr/bin:/bin';

/** No forge but the local one. */
export function noForges(db: Database): Forges {
  const none = async () => await Promise.reject(new Error('these tests keep no secrets'));
  const secrets = { get: none, put: none, list: none, history: none, delete: none };
  return openForges({ db, secrets, configured: [] });
}

/** The identity that tests submit and merge as. */
export const AUTHOR = { name: 'Autocode', email: 'autocode@localhost' };

export interface Workshop {
  dir: string;
  store: RepositoryStore;
  /** Runs git as the user, in a folder below `dir`. */
  git(folder: string, ...args: string[]): string;
  write(folder: string, files: Record<string, string | Buffer>): void;
  /** A working copy with one commit of these files on `main`. */
  workingCopy(name: string, files?: Record<string, string>): string;
  /** A bare repository with one commit of these files on `main`. */
  bare(name: string, files?: Record<string, string>): string;
  [Symbol.dispose](): void;
}

/** Makes the scratch directory; others may enter it, so that repositories in it can belong to them. */
export function workshop(options: { credentials?: Forges['credentials'] } = {}): Workshop {
  const dir = mkdtempSync(join(tmpdir(), 'autocode-repos-'));
  chmodSync(dir, 0o755);
  const home = join(dir, 'home');
  mkdirSync(home);
  writeFileSync(
    join(home, '.gitconfig'),
    '[user]\n\tname = Ann\n\temail = ann@example.org\n[safe]\n\tdirectory = *\n',
  );
  const env = { PATH, HOME: home, LC_ALL: 'C', GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0' };
  const userHome = join(dir, 'daemon-home');
  mkdirSync(userHome);
  const store = {
    git: createGit({ path: PATH, home: userHome, configDir: join(dir, 'config'), ...options }),
    dir: join(dir, 'repositories'),
  };

  const git = (folder: string, ...args: string[]) =>
    execFileSync('git', args, {
      cwd: join(dir, folder),
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  const write = (folder: string, files: Record<string, string | Buffer>) => {
    for (const [name, content] of Object.entries(files)) {
      const path = join(dir, folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
    }
  };
  const workingCopy = (name: string, files: Record<string, string> = { 'README.md': 'hello\n' }) => {
    git('.', 'init', '--quiet', '--initial-branch=main', name);
    write(name, files);
    git(name, 'add', '--all');
    git(name, 'commit', '--quiet', '--message', 'first');
    return join(dir, name);
  };
  const bare = (name: string, files?: Record<string, string>) => {
    workingCopy(`${name}.source`, files);
    git('.', 'clone', '--quiet', '--bare', `${name}.source`, name);
    return join(dir, name);
  };
  return {
    dir,
    store,
    git,
    write,
    workingCopy,
    bare,
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}

export interface RunInput {
  origin: string;
  /** More repositories of the task, by name; the first is then `main`. */
  more?: Record<string, string>;
  title?: string;
  baseBranch?: string;
}

/** A project with this origin, a task and its first run, leased. */
export async function leasedRun(
  db: Queryable,
  input: RunInput,
): Promise<{ run: string; task: number; repository: number }> {
  const origins = { main: input.origin, ...input.more };
  const { rows } = await db.query<{ task: number; repository: number }>(
    `with made as (insert into project (name) values (gen_random_uuid()::text) returning id),
          place as (insert into repository (project, name, origin, hosted, default_branch, position)
            select id, name, origin, false, 'main', position
            from made, unnest($1::text[], $4::text[]) with ordinality given (name, origin, position) returning *),
          asked as (insert into task (project, title, body, agent, model, state, order_key, attempt, created_by)
            select id, $2, 'The body.', 'command', 'replay/tape', 'running', now(), 0, 'ann' from made returning *)
     insert into task_repository (task, repository, position, base_branch, order_key, waiting)
       select asked.id, place.id, place.position, $3, now(), false from asked, place order by place.position
     returning task, repository`,
    [Object.keys(origins), input.title ?? 'Fix the sum', input.baseBranch ?? 'main', Object.values(origins)],
  );
  const { task, repository } = rows[0]!;
  return { run: await nextRun(db, task), task, repository };
}

/** The first run of another task in the same repository. */
export async function anotherRun(db: Queryable, title: string, kind = 'change'): Promise<string> {
  const { rows } = await db.query<{ id: number }>(
    `with asked as (insert into task (project, title, body, agent, model, state, order_key, attempt, created_by, kind)
       select project, $1, '', 'command', 'replay/tape', 'running', now(), 0, 'ann', $2 from task order by id limit 1 returning *)
     insert into task_repository (task, repository, position, base_branch, order_key, waiting)
       select asked.id, place.id, 1, 'main', now(), false from asked, repository place returning task as id`,
    [title, kind],
  );
  return await nextRun(db, rows[0]!.id);
}

/** Another attempt at a task; an earlier one is over. */
export async function nextRun(db: Queryable, task: number): Promise<string> {
  await db.query(
    `update run set state = 'failed', cause = 'agent' where task = $1 and state in ('leased', 'submitting')`,
    [task],
  );
  const { rows } = await db.query<{ id: string }>(
    `with moved as (update task set attempt = attempt + 1, state = 'running', pending_reason = null, finished_at = null where id = $1 returning id, attempt)
     insert into run (id, task, fence, state, worker, claim_id, agent, model, isolation, deadline)
       select id || '-' || attempt, id, attempt, 'leased', 'w', gen_random_uuid(), 'command', 'replay/tape', 'directory', now() + interval '1 hour'
         from moved returning id`,
    [task],
  );
  return rows[0]!.id;
}

/**
 * Gives a leased run a result, as its runner and the final verify would: pushed, and waiting for its submission. Answers
 * with the commits of the first repository; files of another begin with its name.
 */
export async function verify(
  db: Queryable,
  shop: Workshop,
  run: string,
  files: Record<string, string>,
): Promise<{ base: string; head: string }> {
  const fence = Number(run.split('-')[1]);
  const { repositories, ref } = await prepareBase(db, shop.store, run, fence);
  const { rows } = await db.query<{ id: number; name: string }>('select id, name from repository');
  const heads: string[] = [];
  for (const { id } of repositories) {
    const name = rows.find((row) => row.id === id)!.name;
    const others = repositories.map((each) => `${rows.find((row) => row.id === each.id)!.name}/`);
    const mine = Object.entries(files).flatMap(([path, text]): [string, string][] =>
      path.startsWith(`${name}/`)
        ? [[path.slice(name.length + 1), text]]
        : id === repositories[0]!.id && !others.some((other) => path.startsWith(other))
          ? [[path, text]]
          : [],
    );
    heads.push(pushResult(shop, { run, ref, id }, Object.fromEntries(mine)));
    await db.query('update run_repository set head_commit = $3 where run = $1 and repository = $2', [
      run,
      id,
      heads.at(-1),
    ]);
  }
  await db.query(`update run set state = 'submitting' where id = $1`, [run]);
  return { base: repositories[0]!.baseCommit, head: heads[0]! };
}

function pushResult(
  shop: Workshop,
  { run, ref, id }: { run: string; ref: string; id: number },
  files: Record<string, string>,
): string {
  const mirror = repositoryPath(shop.store, id, 'mirror.git');
  const folder = id === 1 ? `work-${run}` : `work-${run}-${id}`;
  shop.git('.', 'init', '--quiet', folder);
  shop.git(folder, 'fetch', '--quiet', mirror, `${ref}:refs/heads/work`);
  shop.git(folder, 'checkout', '--quiet', 'work');
  shop.write(folder, files);
  shop.git(folder, 'add', '--all');
  shop.git(folder, 'commit', '--quiet', '--allow-empty', '--message', 'by the agent');
  shop.git(folder, 'push', '--quiet', mirror, `+HEAD:${ref}`);
  return shop.git(folder, 'rev-parse', 'HEAD');
}
