import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareCursors, formatCursor, parseCursor } from './cursor.ts';

const numbers = fc.tuple(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
);

test('a cursor survives the way over its text', () => {
  fc.assert(
    fc.property(numbers, ([xid, id]) => {
      const cursor = { xid: String(xid), id: String(id) };
      assert.deepEqual(parseCursor(formatCursor(cursor)), cursor);
    }),
  );
});

test('cursors order by transaction, then by serial number', () => {
  fc.assert(
    fc.property(numbers, numbers, ([xid, id], [xid2, id2]) => {
      const expected = xid < xid2 || (xid === xid2 && id < id2) ? -1 : xid === xid2 && id === id2 ? 0 : 1;
      assert.equal(compareCursors(`${xid}-${id}`, `${xid2}-${id2}`), expected);
    }),
  );
});

for (const text of [
  '',
  '1',
  '1-',
  '-1',
  '1-2-3',
  'a-b',
  '1 -2',
  '99999999999999999999-1',
  `1-${2n ** 63n}`,
]) {
  test(`"${text}" is refused as a cursor`, () =>
    assert.throws(() => parseCursor(text), { code: 'ERR_INVALID_INPUT' }));
}
