// The page from the API's own port: which file is at which address, with which headers, and what is said while it is not built.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { brotliCompressSync } from 'node:zlib';
import Fastify from 'fastify';
import { handleErrors } from './errors.ts';
import { servePage } from './page.ts';

async function aPage(t: { after(done: () => unknown): void }) {
  const directory = mkdtempSync(path.join(tmpdir(), 'autocode-page-'));
  const app = Fastify();
  handleErrors(app, { warn: () => {}, error: () => {} });
  app.get('/api/v1/tasks', { config: { access: 'viewer' } }, () => []);
  t.after(async () => {
    await app.close();
    rmSync(directory, { recursive: true });
  });
  await servePage(app, directory);
  const build = () => {
    mkdirSync(path.join(directory, 'assets'));
    writeFileSync(path.join(directory, 'index.html'), '<!doctype html><title>Autocode</title>');
    writeFileSync(path.join(directory, 'assets/main-abc.js'), 'run()');
    writeFileSync(path.join(directory, 'push-worker.js'), 'work()');
    writeFileSync(path.join(directory, 'assets/main-abc.js.br'), brotliCompressSync('run()'));
  };
  return { app, build };
}

test('every address of the page gets the page, under a policy that lets nothing written into it run', async (t) => {
  const { app, build } = await aPage(t);
  build();
  for (const url of ['/', '/tasks/12', '/no/such/page?x=1']) {
    const answer = await app.inject({ url });
    assert.equal(answer.statusCode, 200, url);
    assert.match(answer.payload, /<title>Autocode/);
    const policy = String(answer.headers['content-security-policy']);
    assert.match(policy, /default-src 'none'.*script-src 'self';.*frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*/);
    assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    assert.equal(answer.headers['cache-control'], 'public, max-age=0');
  }
});

test('files come compressed, for ever; one that is gone is not the page', async (t) => {
  const { app, build } = await aPage(t);
  build();
  const answer = await app.inject({ url: '/assets/main-abc.js', headers: { 'accept-encoding': 'br' } });
  assert.equal(answer.headers['content-encoding'], 'br');
  assert.match(String(answer.headers['cache-control']), /max-age=31536000, immutable/);
  assert.match(String(answer.headers['content-type']), /javascript/);
  assert.equal((await app.inject({ url: '/assets/main-old.js' })).statusCode, 404);
  for (const url of ['/assets/../../package.json', '/assets/%2e%2e%2findex.html', '/..%2f..%2fetc/passwd']) {
    const { payload } = await app.inject({ url });
    assert.doesNotMatch(payload, /root:|autocode-web/, url);
  }
});

test('the worker that shows notifications is asked for anew each time, so that none outlives an upgrade', async (t) => {
  const { app, build } = await aPage(t);
  build();
  const answer = await app.inject({ url: '/push-worker.js' });
  assert.equal(answer.payload, 'work()');
  assert.match(String(answer.headers['content-type']), /javascript/);
  assert.equal(answer.headers['cache-control'], 'public, max-age=0');
});

test('what the API does not know is told by the API, with or without the page', async (t) => {
  const { app } = await aPage(t);
  for (const url of ['/api/v1/nothing', '/git/x', '/api']) {
    const answer = await app.inject({ url });
    assert.equal(answer.statusCode, 404);
    assert.equal(answer.json().error.code, 'ERR_NOT_FOUND');
  }
  assert.equal((await app.inject({ method: 'POST', url: '/api/v1/tasks' })).statusCode, 405);
});

test('a page that is not built says how, and is there as soon as it is', async (t) => {
  const { app, build } = await aPage(t);
  const answer = await app.inject({ url: '/' });
  assert.equal(answer.statusCode, 503);
  assert.match(answer.payload, /scripts\/web build/);
  build();
  assert.equal((await app.inject({ url: '/' })).statusCode, 200);
});
