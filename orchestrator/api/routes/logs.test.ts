// What the API tells of a run's log: its bytes, its lines by their numbers, the lines with a text.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aRun } from '../../tasks/testing/work.ts';
import { testApi } from '../testing.ts';

test('lines of a log are found by number and by text, as it grows, with what is masked and whether more comes', async () => {
  await using api = await testApi();
  const { run, runToken, fence } = await aRun(api.db.pool);
  const own = { authorization: `Bearer ${runToken}`, 'content-type': 'application/octet-stream' };
  const append = async (offset: number, bytes: string) =>
    await api.send(null, 'POST', `/api/v1/runs/${run}/logs/raw?offset=${offset}&fence=${fence}`, bytes, own);
  const get = async (what: string) => await api.send('viewer', 'GET', `/api/v1/runs/${run}/logs/raw/${what}`);

  assert.deepEqual((await get('lines')).body, { state: 'open', redacted: 0, bytes: 0, total: 0, lines: [] });
  assert.equal((await append(0, 'one\r\nTwo\nthr')).status, 200);
  assert.deepEqual((await get('lines?limit=2')).body, {
    state: 'open',
    redacted: 0,
    bytes: 12,
    total: 3,
    lines: [
      { line: 2, at: 5, bytes: 3, text: 'Two' },
      { line: 3, at: 9, bytes: 3, text: 'thr' },
    ],
  });
  assert.equal((await append(12, 'ee two\n')).status, 200);
  assert.deepEqual((await get('lines?from=3')).body.lines, [{ line: 3, at: 9, bytes: 9, text: 'three two' }]);
  const found = await get('matches?text=TWO');
  assert.deepEqual(
    found.body.matches.map(({ line }: { line: number }) => line),
    [3, 2],
  );
  assert.equal(found.body.next, null);

  for (const what of ['lines?from=0', 'lines?limit=1001', 'matches', 'matches?text=', 'matches?text=a%0Ab']) {
    assert.equal((await get(what)).body.error.code, 'ERR_INVALID_INPUT', what);
  }
  assert.equal((await api.send('viewer', 'GET', '/api/v1/runs/99-1/logs/raw/lines')).status, 404);
  assert.equal((await api.send('viewer', 'GET', '/api/v1/runs/99-1/logs/raw/matches?text=a')).status, 404);
});
