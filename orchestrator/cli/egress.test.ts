import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeOf } from './egress.ts';
import { fakeApi, runCli } from './testing/run-cli.ts';

test('egress is listed with whose it was; what was never answered says so', async () => {
  const record = {
    at: '2026-11-20T10:00:00.000Z',
    request: '5f0c6dd6-5ef9-4d4c-9d27-1d90fe1c0a11',
    run: '12-1',
    key: null,
    project: 'shop',
    engine: 'cloud',
    host: 'api.example.com',
    bytesOut: 2048,
    bytesIn: null,
  };
  await using api = await fakeApi({ 'GET /egress': { body: [record] } });
  const list = async (...words: string[]) => await runCli(['egress', 'list', ...words, '--url', api.url]);
  const shown = await list('--project', 'shop', '--since', '2026-11-01');
  assert.match(
    shown.stdout,
    /2026-11-20 10:00:00 +run 12-1 +shop +cloud +api\.example\.com +2 KiB +no answer/,
  );
  assert.equal(
    api.requests[0]?.line,
    `GET /egress?project=shop&since=${encodeURIComponent('2026-11-01T00:00:00.000Z')}&limit=100`,
  );
  assert.deepEqual(JSON.parse((await list('--json')).stdout), [record]);
});

test('a time is a distance from now or a date', () => {
  const now = Date.parse('2026-11-20T10:00:00Z');
  assert.equal(timeOf('7d', now), '2026-11-13T10:00:00.000Z');
  assert.equal(timeOf('12h', now), '2026-11-19T22:00:00.000Z');
  assert.equal(timeOf('2026-01-31', now), '2026-01-31T00:00:00.000Z');
  assert.throws(() => timeOf('yesterday', now), { code: 'ERR_INVALID_INPUT' });
});
