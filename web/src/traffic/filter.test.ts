import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawnOf, searchOf, trafficFilter } from './filter.ts';

test('an address holds the filter, and what is none in it is left out', () => {
  const filter = trafficFilter({
    host: '*.example.com',
    text: 42,
    decision: 'perhaps',
    project: ['x'],
    other: 1,
  });
  assert.deepEqual(filter, { host: '*.example.com', text: '42' });
  assert.deepEqual(trafficFilter(searchOf('hosts', { decision: 'denied' })), { decision: 'denied' });
  assert.deepEqual(searchOf('requests', {}), {});
});

test('what is drawn stands in the address too, unless it is the usual', () => {
  assert.deepEqual(drawnOf({ period: 'week', of: 'denied' }), { period: 'week', of: 'denied' });
  assert.deepEqual(drawnOf({ period: 'toString', of: 3 }), { period: 'day', of: 'requests' });
  assert.deepEqual(searchOf('requests', {}, { period: 'day', of: 'bytesIn' }), { of: 'bytesIn' });
});
