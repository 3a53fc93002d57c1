import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Database } from '../db/connect.ts';
import { listChanges } from './changes.ts';
import type { ChangeAtOrigin } from './changes.ts';
import type { Forges } from './forge/forges.ts';
import { localForge } from './forge/local.ts';
import type { Git } from './git.ts';
import { giveUpSubmission, submitRun } from './submit.ts';
import { branches, depsOf, stateOf } from './testing/submission.ts';
import { AUTHOR, leasedRun, nextRun, noForges, verify, workshop } from './testing/workshop.ts';
import type { Workshop } from './testing/workshop.ts';

/** Two repositories, the second of which refuses what the hook's script says. */
async function twoRepositories(db: Database, shop: Workshop, hook?: string) {
  const [api, web] = [shop.bare('api.git'), shop.bare('web.git')];
  if (hook !== undefined) {
    writeFileSync(join(web, 'hooks/pre-receive'), `#!/bin/sh\n${hook}\n`);
    chmodSync(join(web, 'hooks/pre-receive'), 0o755);
  }
  return { api, web, ...(await leasedRun(db, { origin: api, more: { web } })) };
}

test('a run in two repositories opens a change in each, and each tells of the other', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const { run, task } = await twoRepositories(db.pool, shop);
  await verify(db.pool, shop, run, { 'main/a.txt': 'a\n', 'web/b.txt': 'b\n' });
  await submitRun(depsOf(db.pool, shop), run);
  const changes = await listChanges(db.pool);
  assert.deepEqual(
    changes.map(({ repository, branch, state }) => [repository, branch, state]).toReversed(),
    ['main', 'web'].map((name) => [name, `autocode/${task}-fix-the-sum`, 'open']),
  );
  assert.equal(shop.git('web.git', 'show', `autocode/${task}-fix-the-sum:b.txt`), 'b');
  const [web, main] = changes;
  assert.match(web!.body, new RegExp(`## Together with[^]*- main: change ${main!.id}`));
  assert.match(main!.body, new RegExp(`- web: change ${web!.id}`));
  const state = await stateOf(db.pool, run);
  assert.deepEqual(
    [state.run, state.reason],
    ['succeeded', `Changes ${main!.id}, ${web!.id} hold the result.`],
  );
});

test('a repository in which nothing changed gets no change', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const { run } = await twoRepositories(db.pool, shop);
  await verify(db.pool, shop, run, { 'web/b.txt': 'b\n' });
  await submitRun(depsOf(db.pool, shop), run);
  const changes = await listChanges(db.pool);
  assert.deepEqual(
    changes.map(({ repository }) => repository),
    ['web'],
  );
  assert.doesNotMatch(changes[0]!.body, /Together with/);
  assert.deepEqual(branches(shop, 'api.git'), ['main']);
});

test('when one repository refuses its branch, no change is opened in the other, and the branch there is kept', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const { run, task } = await twoRepositories(db.pool, shop, 'echo no; exit 1');
  await verify(db.pool, shop, run, { 'main/a.txt': 'a\n', 'web/b.txt': 'b\n' });
  await submitRun(depsOf(db.pool, shop), run);
  assert.deepEqual(await listChanges(db.pool), []);
  assert.deepEqual(branches(shop, 'api.git'), [`autocode/${task}-fix-the-sum`, 'main']);
  const state = await stateOf(db.pool, run);
  assert.deepEqual([state.run, state.cause], ['failed', 'input']);
  assert.match(state.reason, /web\.git refused the branch[^]*no/);
});

test('what the checks refuse in one repository keeps all of them from being pushed', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const { run } = await twoRepositories(db.pool, shop);
  await db.pool.query(`update task set target_files = '["web/", "main/src"]'`);
  await verify(db.pool, shop, run, { 'main/web/x.txt': 'a\n', 'web/b.txt': 'b\n' });
  await submitRun(depsOf(db.pool, shop), run);
  const state = await stateOf(db.pool, run);
  assert.deepEqual([state.run, state.cause], ['failed', 'agent']);
  assert.match(state.reason, /- in main, web\/x\.txt: it was added/);
  assert.doesNotMatch(state.reason, /b\.txt/);
  assert.deepEqual(branches(shop, 'web.git'), ['main']);
});

/** A forge whose pull requests are kept here; `refuses` says which repository has its own refused. */
function requestForges(db: Database, refuses: (origin: string) => boolean) {
  const requests = new Map<string, { number: number; state: string; body: string; comments: string[] }>();
  const open: Forges['open'] = async ({ origin }) => {
    const local = localForge(undefined as never, AUTHOR);
    const of = (change: ChangeAtOrigin) => requests.get(`${origin} ${change.branch}`)!;
    return {
      ...local,
      async propose(proposal) {
        if (refuses(origin)) throw new AutocodeError('ERR_FORGE_REFUSED', 'The base branch is locked.');
        const key = `${origin} ${proposal.branch}`;
        const request = requests.get(key) ?? { number: requests.size + 1, comments: [], state: '', body: '' };
        requests.set(key, Object.assign(request, { state: 'open', body: proposal.body }));
        const url = `https://forge.test/${request.number}`;
        return {
          number: request.number,
          url,
          state: 'open',
          head: proposal.commit,
          mergedCommit: undefined,
          base: proposal.baseBranch,
          mergeable: 'yes',
          mergeReason: null,
          draft: false,
          notes: [],
        };
      },
      comment: async (change, text) => void of(change).comments.push(text),
      close: async (change) => void (of(change).state = 'closed'),
    };
  };
  return { requests, forges: { ...noForges(db), open } };
}

test('when one pull request is refused, those that are open already are closed again and say why', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const { run, task, web } = await twoRepositories(db.pool, shop);
  let refused = true;
  const far = requestForges(db.pool, (origin) => refused && origin === web);
  const deps = { ...depsOf(db.pool, shop), forges: far.forges };
  await verify(db.pool, shop, run, { 'main/a.txt': 'a\n', 'web/b.txt': 'b\n' });
  await submitRun(deps, run);
  const [request, ...others] = far.requests.values();
  assert.deepEqual([request?.state, others], ['closed', []]);
  assert.match(request!.comments.join(), /could not be opened\. The base branch is locked/);
  assert.equal((await listChanges(db.pool))[0]?.state, 'closed');
  assert.deepEqual(
    [await stateOf(db.pool, run)].map(({ run: of, cause, reason }) => [of, cause, reason]),
    [['failed', 'input', 'The base branch is locked.']],
  );

  refused = false;
  const second = await nextRun(db.pool, task);
  await verify(db.pool, shop, second, { 'main/a.txt': 'b\n', 'web/b.txt': 'c\n' });
  await submitRun(deps, second);
  assert.deepEqual(
    [...far.requests.values()].map(({ state }) => state),
    ['open', 'open'],
  );
  const bodies = [...far.requests.values()].map(({ body }) => /- \w+: (https\S+)/.exec(body)?.[1]);
  assert.deepEqual(bodies, ['https://forge.test/2', 'https://forge.test/1']);
});

test('a submission that is given up closes what it had opened', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const { run, web } = await twoRepositories(db.pool, shop);
  const far = requestForges(db.pool, (origin) => {
    if (origin === web) throw new AutocodeError('ERR_FORGE_DENIED', 'The token is expired.');
    return false;
  });
  const deps = { ...depsOf(db.pool, shop), forges: far.forges };
  await verify(db.pool, shop, run, { 'main/a.txt': 'a\n', 'web/b.txt': 'b\n' });
  await assert.rejects(submitRun(deps, run), { code: 'ERR_FORGE_DENIED' });
  assert.equal((await listChanges(db.pool))[0]?.state, 'open', 'another try may do');
  await giveUpSubmission(deps, run, 'The token is expired.');
  assert.equal([...far.requests.values()][0]?.state, 'closed');
  assert.equal((await stateOf(db.pool, run)).cause, 'platform');
});

test('a submission in two repositories that is cut off at any step is finished by the next, with one change in each', async () => {
  using shop = workshop();
  await using db = await testDatabase();
  const [api, web] = [shop.bare('api.git'), shop.bare('web.git')];
  let steps = 0;
  for (let at = 1; ; at += 2) {
    const { run, task } = await leasedRun(db.pool, { origin: api, more: { web }, title: `step ${at}` });
    await verify(db.pool, shop, run, { [`main/f${at}.txt`]: 'x\n', [`web/f${at}.txt`]: 'x\n' });
    const deps = depsOf(db.pool, shop);
    let count = 0;
    const run_: Git['run'] = async (args, options) => {
      const result = await shop.store.git.run(args, options);
      if (++count === at) throw new Error('cut off');
      return result;
    };
    const text: Git['text'] = async (args, options) => (await run_(args, options)).stdout.toString().trim();
    const cut = { ...deps, store: { ...shop.store, git: { ...shop.store.git, run: run_, text } } };
    const wasCut = await submitRun(cut, run).then(
      () => false,
      () => true,
    );
    await submitRun(deps, run);
    assert.equal((await stateOf(db.pool, run)).run, 'succeeded', `cut off at step ${at}`);
    const changes = (await listChanges(db.pool, { limit: 2 })).map((change) => change.task);
    assert.deepEqual(changes, [task, task], `cut off at step ${at}`);
    if (!wasCut) break;
    steps = at;
  }
  assert.ok(steps >= 16, `${steps} steps`);
});
