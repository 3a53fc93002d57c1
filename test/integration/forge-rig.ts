// What the tests of a forge share: its server behind a connection that can be cut, the orchestrator's repositories
// and API over a real database, and runs that are ready to be submitted.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Check } from '../../protocol/run.ts';
import { ProjectInput, type Project } from '../../protocol/project.ts';
import { listChanges } from '../../orchestrator/repos/changes.ts';
import { openForges } from '../../orchestrator/repos/forge/forges.ts';
import { bindRepositories } from '../../orchestrator/repos/repositories.ts';
import { submitRun } from '../../orchestrator/repos/submit.ts';
import { AUTHOR, nextRun, verify, workshop } from '../../orchestrator/repos/testing/workshop.ts';
import { fileSecrets } from '../../orchestrator/secrets/file.ts';
import { testDatabase } from '../support/database.ts';
import type { Gitea } from '../support/gitea.ts';
import { openLine } from '../support/line.ts';

const POLICY = { retries: { agent: 0, platform: 1, lost: 0, outOfTime: 0 }, retryBackoffSeconds: 1 };

/** Everything but the forge itself, which the tests of a file share. */
export async function forgeRig(gitea: Pick<Gitea, 'url' | 'botToken'>) {
  const line = await openLine(gitea.url);
  const db = await testDatabase();
  const secretsDir = await mkdtemp(join(tmpdir(), 'autocode-forge-secrets-'));
  const forges = openForges({ db: db.pool, secrets: fileSecrets(secretsDir), configured: [] });
  const shop = workshop({ credentials: forges.credentials });
  const stopping = new AbortController();
  const troubles: unknown[] = [];
  const deps = { db: db.pool, store: shop.store, author: AUTHOR, forges };
  const repositories = bindRepositories({
    ...deps,
    stopping: stopping.signal,
    onError: (error) => troubles.push(error),
  });
  const submitDeps = { ...deps, currency: 'USD', policy: POLICY };

  /** Registers a repository of the forge, by its address behind the line. */
  const project = async (name: string, more: Partial<ProjectInput> = {}): Promise<Project> =>
    await repositories.create(
      ProjectInput.parse({
        name,
        repository: `${line.url}/acme/${name}.git`,
        verify: [],
        forge: { token: gitea.botToken, webhookSecret: 'hook-secret' },
        ...more,
      }),
    );

  /** A task of the project and its first run, done: with these files, waiting to be submitted. */
  async function done(of: Project, title: string, files: Record<string, string>, checks: Check[] = []) {
    const { rows } = await db.pool.query<{ id: number }>(
      `with asked as (
         insert into task (project, title, body, agent, model, state, order_key, attempt, created_by)
         values ($1, $2, 'The body.', 'command', 'replay/tape', 'running', now(), 0, 'ann') returning id)
       insert into task_repository (task, repository, position, base_branch, order_key, waiting)
         select asked.id, repository, position, 'main', now(), false
         from asked, unnest($3::bigint[]) with ordinality of (repository, position) returning task as id`,
      [of.id, title, of.repositories.map(({ id }) => id)],
    );
    return await again(rows[0]!.id, files, checks);
  }

  /** The next run of a task, done. */
  async function again(task: number, files: Record<string, string>, checks: Check[] = []) {
    const run = await nextRun(db.pool, task);
    await db.pool.query('update run set checks = $2 where id = $1', [run, JSON.stringify(checks)]);
    await verify(db.pool, shop, run, files);
    return { run, task };
  }

  return {
    line,
    db: db.pool,
    shop,
    deps,
    forges,
    repositories,
    troubles,
    secretsDir,
    project,
    done,
    again,
    submit: async (run: string, signal?: AbortSignal) => await submitRun(submitDeps, run, signal),
    changeOf: async (task: number) => (await listChanges(db.pool)).find((change) => change.task === task)!,
    stateOf: async (run: string) =>
      (
        await db.pool.query<{ state: string; reason: string | null }>(
          'select state, reason from run where id = $1',
          [run],
        )
      ).rows[0]!,
    events: async (kind: string) =>
      (
        await db.pool.query<{ data: Record<string, unknown> }>(
          'select data from event where kind = $1 order by id',
          [kind],
        )
      ).rows.map((row) => row.data),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      line.close();
      shop[Symbol.dispose]();
      await rm(secretsDir, { recursive: true });
      await db[Symbol.asyncDispose]();
    },
  };
}

export type ForgeRig = Awaited<ReturnType<typeof forgeRig>>;
