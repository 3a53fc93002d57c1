import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layersOf, momentOf, movedBy, rowsOf, stepOf, tickOf } from './plot-data.ts';

const SERIES = [
  { name: 'a', values: [1, 2] },
  { name: 'b', values: [10, null] },
  { name: 'c', values: [100, 200] },
];

test('stacked series are sums with those below, without the ones that were switched off, each in its own colour', () => {
  assert.deepEqual(layersOf(SERIES, new Set(['b']), 'stacked'), [
    { name: 'c', values: [101, 202], index: 2 },
    { name: 'a', values: [1, 2], index: 0 },
  ]);
  assert.deepEqual(
    layersOf(SERIES, new Set(), 'stacked').map(({ values }) => values),
    [
      [111, 202],
      [11, 2],
      [1, 2],
    ],
  );
  assert.deepEqual(layersOf(SERIES, new Set(['a']), 'lines')[0], {
    name: 'b',
    values: [10, null],
    index: 1,
  });
});

test('moments are told as exactly as the step between them needs', () => {
  const noon = Date.UTC(2026, 10, 21, 12) / 1000;
  assert.equal(stepOf([noon, noon + 60, noon + 180]), 60);
  assert.equal(stepOf([noon]), 86_400);
  assert.equal(momentOf(noon, 3600, 'UTC'), '21 Nov 2026 12:00');
  assert.equal(momentOf(noon, 86_400, 'UTC'), '21 Nov 2026');
  assert.equal(tickOf(noon, 3600, 'UTC'), '12:00');
  assert.equal(tickOf(noon + 43_200, 3600, 'UTC'), '22 Nov');
});

test('keys move the cursor and keep it among the values', () => {
  assert.equal(movedBy('ArrowRight', undefined, 3), 0);
  assert.equal(movedBy('ArrowRight', 2, 3), 2);
  assert.equal(movedBy('ArrowLeft', undefined, 3), 2);
  assert.equal(movedBy('Home', 2, 3), 0);
  assert.equal(movedBy('End', 0, 3), 2);
  assert.equal(movedBy('Tab', 0, 3), undefined);
  assert.deepEqual(rowsOf([5, 6], SERIES)[1], { time: 6, at: 1, values: [2, null, 200] });
});
