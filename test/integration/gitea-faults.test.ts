// A real Gitea that is away, cut off at any step, or that does not let us in; and its webhook. What all forges have in common is in
// forge-conformance.ts.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { AutocodeError } from '../../protocol/errors.ts';
import type { ApiContext } from '../../orchestrator/api/context.ts';
import { buildApi } from '../../orchestrator/api/server.ts';
import { loadConfig } from '../../orchestrator/config/load.ts';
import { refreshChange, refreshChanges } from '../../orchestrator/repos/merge.ts';
import { startGitea, type Gitea } from '../support/gitea.ts';
import { forgeRig, type ForgeRig } from './forge-rig.ts';

let gitea: Gitea;
before(async () => {
  gitea = await startGitea();
  await gitea.addUser('ann');
});
after(async () => await gitea[Symbol.asyncDispose]());

interface Pull {
  number: number;
  head: { ref: string; sha: string };
  labels: object[];
  requested_reviewers: object[];
}

async function pulls(repository: string): Promise<Pull[]> {
  return await gitea.call('GET', `/repos/acme/${repository}/pulls?state=all&limit=50`);
}

// The orchestrator is gone at each request in turn that changes something: the forge has done it, its answer reaches
// nobody. The next try begins anew and finds what those before it left.
test('a submission that is cut off at every one of its steps ends with one pull request', async () => {
  await gitea.repository('cut', { '.github/CODEOWNERS': '* @ann\n' });
  await gitea.call('PUT', '/repos/acme/cut/collaborators/ann', { permission: 'write' });
  await using rig = await forgeRig(gitea);
  const project = await rig.project('cut', { labels: ['robot'] });
  const head = { status: 'passed' as const, exitCode: 0, durationMs: 5, output: '' };
  const checks = [{ name: 'test', command: 'true', base: null, head }];
  const { run, task } = await rig.done(project, 'one', { 'a.txt': 'x\n' }, checks);
  const writes = (line: string) =>
    /^(POST|PATCH|PUT|DELETE) /.test(line) && !line.endsWith('/git-upload-pack');
  const cuts: string[] = [];
  for (let tries = 1; ; tries++) {
    const gone = new AbortController();
    rig.line.cutWhen(writes, () => gone.abort());
    const error = await rig.submit(run, gone.signal).catch((thrown: unknown) => thrown);
    rig.line.mend();
    if (gone.signal.aborted) {
      cuts.push(
        rig.line.seen
          .at(-1)!
          .replace(/^(\w+) .*\/([\w-]+)$/, '$1 $2')
          .replace(/[0-9a-f]{40}/, 'statuses'),
      );
    } else if (error === undefined) break;
    // What a forge says that is still at work on the push of the try before.
    else if (tries > 30 || (error as AutocodeError).code !== 'ERR_REPOSITORY_UNREACHABLE')
      throw error as Error;
    else await delay(200);
  }
  const steps = ['git-receive-pack', 'pulls', 'labels', 'labels', 'requested_reviewers', 'statuses'];
  // A forge that is still at work on the push of the last try is pushed to again: the same commit, to no effect.
  const apart = cuts.filter((cut, index) => cut !== 'POST git-receive-pack' || cuts[index - 1] !== cut);
  assert.deepEqual(
    apart,
    steps.map((step) => `POST ${step}`),
  );
  assert.equal((await rig.stateOf(run)).state, 'succeeded');
  const [pull, ...others] = await pulls('cut');
  assert.equal(others.length, 0);
  assert.equal(pull?.number, (await rig.changeOf(task)).number);
  assert.deepEqual([pull?.labels.length, pull?.requested_reviewers.length], [1, 1]);
  const { statuses } = await gitea.call('GET', `/repos/acme/cut/commits/${pull?.head.sha}/status`);
  assert.equal(statuses.length, 1);
  assert.equal((await gitea.call('GET', '/repos/acme/cut/labels')).length, 1);
  assert.equal((await gitea.call('GET', '/repos/acme/cut/branches')).length, 2);
  assert.ok(rig.line.seen.filter((line) => line === 'POST /api/v1/repos/acme/cut/pulls').length === 1);
});

test('a forge that is killed in the middle of a submission and comes back has one pull request', async () => {
  await gitea.repository('away');
  await using rig = await forgeRig(gitea);
  const project = await rig.project('away');
  const { run, task } = await rig.done(project, 'one', { 'a.txt': 'a\n' });
  rig.line.cutWhen((line) => line.endsWith('/git-receive-pack'));
  await assert.rejects(rig.submit(run));
  await gitea.kill();
  rig.line.mend();
  await assert.rejects(rig.submit(run), { code: /ERR_FORGE_UNAVAILABLE|ERR_REPOSITORY_UNREACHABLE/ });
  assert.equal((await rig.stateOf(run)).state, 'submitting');
  await gitea.start();
  await rig.submit(run);
  assert.equal((await pulls('away')).length, 1);
  const { id } = await rig.changeOf(task);
  await gitea.kill();
  await assert.rejects(refreshChange(rig.deps, id), { code: 'ERR_FORGE_UNAVAILABLE' });
  assert.match((await rig.changeOf(task)).trouble ?? '', /is not available/);
  await gitea.start();
  await refreshChange(rig.deps, id);
  assert.equal((await rig.changeOf(task)).trouble, null);
});

test('a token that may not write or is unknown is refused when the project is made, with the reason', async () => {
  await gitea.repository('denied');
  await gitea.call('PUT', '/repos/acme/denied/collaborators/ann', { permission: 'read' });
  await using rig = await forgeRig(gitea);
  const reader = await gitea.token('ann', ['read:repository']);
  await assert.rejects(rig.project('denied', { forge: { token: reader } }), {
    code: 'ERR_FORGE_DENIED',
    message: /may not push to acme\/denied/,
  });
  await assert.rejects(rig.project('denied', { forge: { token: 'nonsense' } }), /does not accept the token/);
});

test('a token without the scope for pull requests says so on the run, and its renewal lets it go on', async () => {
  await gitea.repository('scope');
  await using rig = await forgeRig(gitea);
  const project = await rig.project('scope', {
    forge: { token: await gitea.token('bot', ['write:repository']) },
    labels: ['robot'],
  });
  const { run, task } = await rig.done(project, 'one', { 'a.txt': 'a\n' });
  await assert.rejects(rig.submit(run), { code: 'ERR_FORGE_DENIED', message: /write:issue|required scope/ });
  await rig.repositories.update('scope', { forge: { token: gitea.botToken } });
  await rig.submit(run);
  assert.equal((await pulls('scope')).length, 1);
  await rig.repositories.update('scope', { reviewers: ['ann'] });

  // Revoked later: the change says so, the branch is there.
  const revoked = await gitea.token('bot', ['write:repository', 'write:issue']);
  await rig.repositories.update('scope', { forge: { token: revoked } });
  await gitea.revokeLast('bot');
  await refreshChanges(rig.deps, () => {});
  const change = await rig.changeOf(task);
  assert.equal(change.state, 'open');
  assert.match(change.trouble ?? '', /does not accept the token/);
  await gitea.call('GET', `/repos/acme/scope/branches/${change.branch}`);
});

test("a token that may only read when the branch is pushed fails the run, with the forge's words", async () => {
  await gitea.repository('read');
  await using rig = await forgeRig(gitea);
  const project = await rig.project('read');
  const { run } = await rig.done(project, 'one', { 'a.txt': 'a\n' });
  await gitea.call('PUT', '/repos/acme/read/collaborators/bot', { permission: 'read' });
  await rig.submit(run);
  const state = await rig.stateOf(run);
  assert.equal(state.state, 'failed');
  assert.match(
    state.reason ?? '',
    /refused the branch autocode\/.*(403|not authorized|denied|not allowed|ermission)/s,
  );
});

test("a branch that may not be pushed to fails the run, with the forge's words", async () => {
  await gitea.repository('protected');
  await gitea.call('POST', '/repos/acme/protected/branch_protections', {
    rule_name: 'autocode/**',
    enable_push: false,
  });
  await using rig = await forgeRig(gitea);
  const { run } = await rig.done(await rig.project('protected'), 'one', { 'a.txt': 'a\n' });
  await rig.submit(run);
  const state = await rig.stateOf(run);
  assert.equal(state.state, 'failed');
  assert.match(state.reason ?? '', /protected branch/i);
});

test('a merge by a person is told by the webhook, and a delivery counts once', async () => {
  await gitea.repository('hook');
  await using rig = await forgeRig(gitea);
  const project = await rig.project('hook');
  const forge = project.repositories[0]!.forge;
  const { run, task } = await rig.done(project, 'one', { 'a.txt': 'a\n' });
  await rig.submit(run);
  await using hook = await listening(rig, forge);
  const config = { url: hook.url, content_type: 'json', secret: 'hook-secret' };
  await gitea.call('POST', '/repos/acme/hook/hooks', {
    type: 'gitea',
    active: true,
    events: ['pull_request', 'push'],
    config,
  });
  const { number, id } = await rig.changeOf(task);
  for (;;) {
    const merged = await gitea.call('POST', `/repos/acme/hook/pulls/${number}/merge`, { Do: 'squash' }).then(
      () => true,
      () => false,
    );
    if (merged) break;
    await delay(100);
  }
  const began = Date.now();
  while ((await rig.changeOf(task)).state !== 'merged') {
    assert.ok(Date.now() - began < 30_000, 'no delivery came'); // nothing else looks at the change here
    await delay(10);
  }

  await hook.stop(); // a merge is told by two deliveries
  await rig.db.query(`update change set state = 'open' where id = $1`, [id]);
  const last = hook.deliveries.at(-1)!;
  assert.equal(await hook.send(last), 204); // the same delivery again
  assert.equal((await rig.changeOf(task)).state, 'open');
});

test('the token is in no argument, file, row or message', async () => {
  await gitea.repository('secret');
  await using rig = await forgeRig(gitea);
  const project = await rig.project('secret');
  const { run } = await rig.done(project, 'one', { 'a.txt': 'a\n' });
  await rig.submit(run);
  const token = gitea.botToken;
  const basicToken = Buffer.from(`autocode:${token}`).toString('base64');
  for (const folder of [rig.shop.dir, rig.secretsDir]) {
    const found = execFileSync(
      'sh',
      ['-c', 'grep -rlF -e "$1" -e "$2" "$3" || true', 'sh', token, basicToken, folder],
      { encoding: 'utf8' },
    );
    assert.equal(found, '');
  }
  const { rows } = await rig.db.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'public'`,
  );
  for (const { name } of rows) {
    const { rowCount } = await rig.db.query(`select from "${name}" as t where strpos(t::text, $1) > 0`, [
      token,
    ]);
    assert.equal(rowCount, 0, name);
  }
  assert.ok(rig.line.seen.every((line) => !line.includes(token)));
});

interface Sent {
  headers: Record<string, string>;
  body: Buffer;
}

// The API's own route over the rig's repositories, behind a server that keeps what comes, to be sent again.
async function listening(rig: ForgeRig, forge: string) {
  const { config } = loadConfig({ env: {}, set: [`dataDir=${rig.shop.dir}/data`] });
  const log = { warn: () => {}, error: () => {} };
  const app = await buildApi({ ...rig, config, log } as unknown as ApiContext, '0.0.0');
  const deliveries: Sent[] = [];
  const taken: Promise<number>[] = [];
  let deaf = false;
  const send = async ({ headers, body }: Sent): Promise<number> => {
    const kept = Object.entries(headers).filter(([name]) => /^(x-gitea-|content-type$)/.test(name));
    const url = `/api/v1/webhooks/gitea/${forge}`;
    return (await app.inject({ method: 'POST', url, headers: Object.fromEntries(kept), payload: body }))
      .statusCode;
  };
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const sent = { headers: request.headers as Record<string, string>, body: Buffer.concat(chunks) };
    if (deaf) return void response.writeHead(503).end();
    const answer = send(sent).then((status) => {
      deliveries.push(sent);
      return status;
    });
    taken.push(answer);
    response.writeHead(await answer).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    deliveries,
    send,
    /** Takes no more; what has come is worked on first. */
    async stop() {
      deaf = true;
      await Promise.all(taken);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await app.close();
    },
  };
}
