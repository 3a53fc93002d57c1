import assert from 'node:assert/strict';
import { test } from 'node:test';
import { searchOf, trafficFilter } from './filter.ts';

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
