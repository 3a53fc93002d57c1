import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeApi, runCli } from './testing/run-cli.ts';

const RECORD = {
  id: 'a',
  event: 'close',
  at: '2026-11-21T22:10:00.000Z',
  run: '12-1',
  project: 'shop',
  method: 'GET',
  host: 'a.example',
  url: 'https://a.example/x,"y',
  decision: 'denied',
  status: 403,
  error: null,
  reason: '=no-rule',
};

test('requests are listed with whose they were and what became of them', async () => {
  await using api = await fakeApi({ 'GET /traffic': { body: { records: [RECORD], complete: false } } });
  const words = ['--run', '12-1', '--decision', 'denied', '--since', '2026-11-01', '--url', api.url];
  const { stdout } = await runCli(['traffic', 'search', ...words]);
  assert.match(stdout, /2026-11-21 22:10:00 +12-1 +shop +denied +403 +0 B +0 B +GET https:\/\/a\.example\/x/);
  assert.match(stdout, /There is more than is read for one question/);
  assert.equal(
    api.requests[0]?.line,
    `GET /traffic?run=12-1&decision=denied&since=${encodeURIComponent('2026-11-01T00:00:00.000Z')}&limit=100`,
  );
});

test('an export is JSON by lines, or a table that spreadsheets read as it is', async () => {
  await using api = await fakeApi({ 'GET /traffic': { body: { records: [RECORD], complete: true } } });
  const lines = await runCli(['traffic', 'export', '--url', api.url]);
  assert.equal((JSON.parse(lines.stdout) as typeof RECORD).url, RECORD.url);
  const { stdout } = await runCli(['traffic', 'export', '--format', 'csv', '--url', api.url]);
  assert.match(stdout, /^at,run,project,worker,method,url,/);
  assert.match(stdout, /,GET,"https:\/\/a\.example\/x,""y",a\.example,,,denied,,'=no-rule,403,,,,\n$/);
});

test('a report names its groups', async () => {
  const groups = [{ name: 'a.example', requests: 3, denied: 1, bytesOut: 2048, bytesIn: 0 }];
  await using api = await fakeApi({
    'GET /traffic/report': { body: { by: 'host', groups, complete: true } },
  });
  const { stdout } = await runCli(['traffic', 'report', '--url', api.url]);
  assert.match(stdout, /HOST +REQUESTS +NOT ALLOWED +SENT +RECEIVED\na\.example +3 +1 +2 KiB +0 B/);
});

test('over time a report tells the buckets that have something, and who has the most there', async () => {
  const values = (...requests: number[]) => ({
    requests,
    denied: [0, 1],
    bytesOut: [0, 2048],
    bytesIn: [0, 0],
  });
  const timeline = {
    by: 'host',
    since: '2026-11-21T22:00:00.000Z',
    until: '2026-11-22T00:00:00.000Z',
    bucket: 'hour',
    times: ['2026-11-21T22:00:00.000Z', '2026-11-21T23:00:00.000Z'],
    groups: [{ name: 'a.example', ...values(0, 3) }],
    rest: values(0, 4),
    complete: true,
  };
  await using api = await fakeApi({ 'GET /traffic/timeline': { body: timeline } });
  const words = ['traffic', 'report', '--over-time', '--bucket', 'hour', '--url', api.url];
  const { stdout } = await runCli(words);
  assert.match(stdout, /^FROM .*MOST\n2026-11-21 23:00:00 +7 +2 +4 KiB +0 B +a\.example \(3\)\n$/);
  assert.equal(api.requests[0]?.line, 'GET /traffic/timeline?by=host&bucket=hour');
});
