import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aProject, fakeApi, runCli } from '../testing/run-cli.ts';

test('what was set is taken back for .autocode.yaml to decide, beside what is set; another setting is refused', async () => {
  await using api = await fakeApi({ 'PATCH /projects/shop': { body: aProject() } });
  const set = async (...words: string[]) =>
    await runCli(['project', 'set', 'shop', ...words, '--url', api.url]);
  const taken = await set('--from-file', 'verify', '--from-file', 'limits', '--draft');
  assert.equal(taken.code, 0, taken.stderr);
  assert.deepEqual(
    api.requests.map(({ line, body }) => [line, body]),
    [['PATCH /projects/shop', { draft: true, fromFile: ['verify', 'limits'] }]],
  );
  const unknown = await set('--from-file', 'trusted');
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /from-file.*"?trusted"?/s);
  assert.match((await set()).stderr, /Nothing was named to change/);
  assert.equal(api.requests.length, 1);
});
