// Questions to a spool, whole and broken.
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { reportTraffic, searchTraffic } from './search.ts';
import { removeSpool, spoolSize } from './spool-files.ts';

const RECORD = {
  run: '12-1',
  project: 'shop',
  host: 'a.example',
  method: 'GET',
  url: 'https://a.example/x',
  decision: 'allowed',
};

function spool(t: TestContext) {
  const directory = mkdtempSync(path.join(tmpdir(), 'autocode-spool-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const write = (hour: string, ...records: object[]) => {
    for (const record of records)
      appendFileSync(path.join(directory, `${hour}.jsonl`), `${JSON.stringify({ ...RECORD, ...record })}\n`);
  };
  return { directory, write };
}

test('of a request there is one record, that of its end; the last ended comes first, pages go on where one stopped', async (t) => {
  const { directory, write } = spool(t);
  const at = '2026-11-21T22:10:00.000Z';
  write('2026-11-21T22', { id: '1', event: 'open', at }, { id: '2', event: 'open', at });
  write('2026-11-21T23', { id: '1', event: 'close', at, status: 200, bytesIn: 7 });
  const page = await searchTraffic(directory, { limit: 10 });
  assert.deepEqual(
    page.records.map(({ id, event, status }) => [id, event, status]),
    [
      ['1', 'close', 200],
      ['2', 'open', null],
    ],
  );
  assert.equal(page.complete, true);
  const rest = await searchTraffic(directory, { limit: 1, before: '1' });
  assert.deepEqual(
    rest.records.map(({ id }) => id),
    ['2'],
  );
});

test('records are found by whose they are, where they went, when, how large they are and what became of them', async (t) => {
  const { directory, write } = spool(t);
  const at = '2026-11-21T22:10:00.000Z';
  write(
    '2026-11-21T22',
    { id: '1', event: 'close', at, bytesOut: 5, bytesIn: 6 },
    { id: '2', event: 'close', at: '2026-11-21T22:20:00.000Z', run: '13-1', host: 'b.a.example' },
    {
      id: '3',
      event: 'close',
      at,
      project: 'other',
      worker: 'w',
      decision: 'denied',
      url: 'https://a/needle',
    },
  );
  for (const [query, expected] of [
    [{ run: '13-1' }, ['2']],
    [{ project: 'shop' }, ['2', '1']],
    [{ worker: 'w' }, ['3']],
    [{ host: '*.a.example' }, ['2']],
    [{ host: 'A.example' }, ['3', '1']],
    [{ decision: 'denied' as const }, ['3']],
    [{ text: 'needle' }, ['3']],
    [{ since: '2026-11-21T22:15:00.000Z' }, ['2']],
    [{ until: '2026-11-21T22:15:00.000Z' }, ['3', '1']],
    [{ since: '2026-11-21T23:00:00.000Z' }, []],
    [{ bytes: 11 }, ['1']],
    [{ bytes: 12 }, []],
  ] as const) {
    const { records } = await searchTraffic(directory, { ...query, limit: 10 });
    assert.deepEqual(
      records.map(({ id }) => id),
      expected,
      JSON.stringify(query),
    );
  }
  const { groups } = await reportTraffic(directory, {}, 'project');
  assert.deepEqual(groups, [
    { name: 'shop', requests: 2, denied: 0, bytesOut: 5, bytesIn: 6 },
    { name: 'other', requests: 1, denied: 1, bytesOut: 0, bytesIn: 0 },
  ]);
});

test('lines that a crash cut off, other files and a directory that is not there are no harm; lines of any length are read', async (t) => {
  const { directory, write } = spool(t);
  writeFileSync(path.join(directory, 'notes.txt'), 'x');
  const at = '2026-11-21T22:10:00.000Z';
  const url = `https://a.example/${'x'.repeat(600_000)}`;
  write('2026-11-21T22', { id: '1', event: 'close', at });
  appendFileSync(path.join(directory, '2026-11-21T22.jsonl'), '{"id":"2","event":\n\n');
  write('2026-11-21T22', { id: '3', event: 'close', at, url });
  appendFileSync(path.join(directory, '2026-11-21T22.jsonl'), '{"id":"4","ev');
  const { records } = await searchTraffic(directory, { limit: 10 });
  assert.deepEqual(
    records.map(({ id, url: found }) => [id, found?.length]),
    [
      ['3', url.length],
      ['1', RECORD.url.length],
    ],
  );
  assert.deepEqual((await searchTraffic(path.join(directory, 'none'), { limit: 10 })).records, []);
  assert.equal(spoolSize(path.join(directory, 'none')), 0);
});

test('files of hours that are over go, the others stay', async (t) => {
  const { directory, write } = spool(t);
  for (const hour of ['2026-11-20T22', '2026-11-21T21', '2026-11-21T22'])
    write(hour, { id: hour, event: 'close', at: `${hour}:00:00.000Z` });
  assert.equal(await removeSpool(directory, new Date('2026-11-21T22:30:00Z')), 2);
  assert.deepEqual(readdirSync(directory), ['2026-11-21T22.jsonl']);
});
