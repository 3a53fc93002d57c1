import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayOf, documentOf, indexOf, positionOf } from './document.ts';

const FILE = '2026-11-21T23.jsonl';
const RECORD = {
  id: 'a"b',
  event: 'close',
  at: '2026-11-21T22:59:59.000Z',
  bytesOut: 2,
  bytesIn: 3,
  x: [['ü', 1]],
};

test('a record becomes a document of its day with all that it has, its end with the higher version', () => {
  const document = documentOf(FILE, { text: JSON.stringify(RECORD), offset: 7 });
  assert.deepEqual(JSON.parse(document!.source), {
    '@timestamp': RECORD.at,
    position: positionOf(FILE, 7),
    bytes: 5,
    ...RECORD,
  });
  assert.deepEqual(JSON.parse(document!.action), {
    index: { _index: 'autocode-traffic-2026.11.21', _id: 'a"b', version: 2, version_type: 'external_gte' },
  });
  const open = documentOf(FILE, { text: JSON.stringify({ ...RECORD, event: 'open' }), offset: 0 });
  assert.match(open!.action, /"version":1,/);
});

test('what is no record is none', () => {
  for (const text of [
    '',
    'null',
    '[]',
    '{"id":"1"',
    '{}',
    '{"id":"","event":"open","at":"2026-11-21T22:00:00Z"}',
    '{"id":"1","event":"other","at":"2026-11-21T22:00:00Z"}',
    '{"id":"1","event":"open","at":"*"}',
  ])
    assert.equal(documentOf(FILE, { text, offset: 0 }), null, text);
});

test('positions grow from line to line and hour to hour and are exact; days are read from indices of ours alone', () => {
  const far = positionOf('2088-12-31T23.jsonl', 8_000_000_000);
  assert.ok(Number.isSafeInteger(far));
  assert.ok(positionOf('2026-11-21T23.jsonl', 0) > positionOf('2026-11-21T22.jsonl', 8_000_000_000));
  assert.equal(dayOf(indexOf('2026-11-21T22:00:00Z')), '2026-11-21');
  for (const name of [
    'autocode-traffic',
    'autocode-traffic-2026.11',
    'x-autocode-traffic-2026.11.21',
    'autocode-traffic-2026.11.21-1',
  ])
    assert.equal(dayOf(name), null, name);
});
