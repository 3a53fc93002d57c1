// Traffic over time, from a spool.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { reportTraffic, searchTraffic } from './search.ts';
import { frameOf, timelineOf } from './timeline.ts';

const NOON = Date.parse('2026-11-21T12:00:00.000Z');

function spool(t: TestContext, lines: string[]): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'autocode-timeline-'));
  t.after(() => rmSync(directory, { recursive: true }));
  writeFileSync(path.join(directory, '2026-11-21T12.jsonl'), lines.map((line) => `${line}\n`).join(''));
  return directory;
}

function record(id: number, host: string | null, minute: number, more: object = {}): string {
  const at = new Date(NOON + minute * 60_000).toISOString();
  return JSON.stringify({ id: String(id), at, host, decision: 'allowed', event: 'close', ...more });
}

const QUERY = { by: 'host', top: 2, of: 'requests', bucket: 'minute' } as const;
const TIME = { since: '2026-11-21T12:00:30.000Z', until: '2026-11-21T12:03:00.000Z' };

test('those with the most are told apart and all others together, each with a value a bucket', async (t) => {
  const directory = spool(t, [
    record(1, 'a.example', 0.6, { event: 'open' }),
    record(1, 'a.example', 0.6, { bytesOut: 5, bytesIn: 7 }),
    record(2, 'a.example', 2, { event: 'open' }), // goes on
    record(3, 'b.example', 1, { decision: 'denied', bytesOut: 100 }),
    record(4, 'b.example', 1),
    record(5, null, 2, { decision: 'refused' }),
    record(6, 'c.example', 0),
    record(7, 'c.example', 3), // after it
    record(8, 'c.example', 2),
    '{"id":"9","at":"2026-11-21T12:01',
  ]);
  const answer = await timelineOf(directory, { ...QUERY, ...TIME });
  assert.equal(answer.complete, true);
  assert.deepEqual([answer.since, answer.until], ['2026-11-21T12:00:00.000Z', '2026-11-21T12:03:00.000Z']);
  assert.deepEqual(answer.times[1], '2026-11-21T12:01:00.000Z');
  assert.deepEqual(answer.groups, [
    { name: 'a.example', requests: [1, 0, 1], denied: [0, 0, 0], bytesOut: [5, 0, 0], bytesIn: [7, 0, 0] },
    { name: 'b.example', requests: [0, 2, 0], denied: [0, 1, 0], bytesOut: [0, 100, 0], bytesIn: [0, 0, 0] },
  ]);
  assert.deepEqual(answer.rest, {
    requests: [1, 0, 2], // the first bucket begins at 12:00
    denied: [0, 0, 1],
    bytesOut: [0, 0, 0],
    bytesIn: [0, 0, 0],
  });
  const most = await timelineOf(directory, { ...QUERY, ...TIME, of: 'bytesOut', top: 1 });
  assert.deepEqual(most.groups[0]?.name, 'b.example');
  const refused = await timelineOf(directory, { ...QUERY, ...TIME, decision: 'refused' });
  assert.deepEqual(refused.groups[0]?.name, null);
});

test('texts of any kind are read from their lines as a reader of JSON does', async (t) => {
  const hosts = ['quo"te', 'back\\', '\\"', 'ümläut.example', '\u{1f600}', '","host":"x', 'a\nb', ''];
  const directory = spool(
    t,
    hosts.map((host, id) => record(id, host, 1, { url: `https://x/"bytesIn":9/${host}`, bytesIn: 3 })),
  );
  const { records } = await searchTraffic(directory, { limit: 100 });
  const { groups } = await reportTraffic(directory, {}, 'host');
  assert.deepEqual(new Set(groups.map(({ name }) => name)), new Set(records.map(({ host }) => host)));
  assert.equal(groups.length, hosts.length);
  assert.deepEqual(
    groups.map(({ bytesIn }) => bytesIn),
    hosts.map(() => 3),
  );
});

test('the buckets fit the time, and there are never too many', () => {
  const now = NOON + 90_000;
  const frame = (since: string | undefined, bucket?: 'minute') => frameOf({ ...QUERY, bucket, since }, now);
  assert.deepEqual(frame(undefined), {
    bucket: 'hour',
    since: NOON - 86_400_000,
    length: 3_600_000,
    count: 25,
  });
  assert.equal(frame('2026-11-21T11:00:00Z').bucket, 'minute');
  assert.equal(frame('2026-10-21T11:00:00Z').bucket, 'day');
  assert.throws(() => frame('2026-11-01T00:00:00Z', 'minute'), { code: 'ERR_INVALID_INPUT' });
  assert.throws(() => frame('2026-11-22T00:00:00Z'), { code: 'ERR_INVALID_INPUT' });
});
