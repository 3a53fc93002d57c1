import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, count, duration, money, oneLine, printable, relativeTime, timestamp } from './format.ts';

function cases<A>(name: string, of: (value: A) => string, table: [A, string][]): void {
  test(name, () => table.forEach(([value, text]) => assert.equal(of(value), text)));
}

cases('durations name the two units that matter', duration, [
  [0, '0 ms'],
  [999, '999 ms'],
  [1000, '1.0 s'],
  [59_949, '59.9 s'],
  [59_999, '1 m 00 s'],
  [65_000, '1 m 05 s'],
  [3_599_000, '59 m 59 s'],
  [3_600_000, '1 h 00 m'],
  [90_000_000, '25 h 00 m'],
]);

cases('bytes are counted in powers of 1024', bytes, [
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1 KiB'],
  [1536, '1.5 KiB'],
  [20 * 1024 ** 3, '20 GiB'],
  [1024 ** 6, '1024 PiB'],
]);

cases('money that was spent is never shown as zero', (micros: number) => money(micros, 'USD'), [
  [0, '0.00 USD'],
  [1, '< 0.0001 USD'],
  [1234, '0.0012 USD'],
  [250_000, '0.2500 USD'],
  [12_345_678, '12.35 USD'],
]);

cases('counts are short', count, [
  [0, '0'],
  [999, '999'],
  [1000, '1.0k'],
  [999_949, '999.9k'],
  [999_950, '1.0M'],
  [4_100_000, '4.1M'],
]);

test('times are told from now, past and future', () => {
  const now = Date.parse('2026-11-20T12:00:00Z');
  const at = (seconds: number) => relativeTime(new Date(now + seconds * 1000).toISOString(), now);
  assert.deepEqual([0, -5, -180, -7300, -90_000 * 3, 65].map(at), [
    'now',
    '5 s ago',
    '3 m ago',
    '2 h ago',
    '3 d ago',
    'in 1 m',
  ]);
  assert.equal(relativeTime(null), '-');
});

test('text from elsewhere cannot move the cursor, colour the terminal or set its title', () => {
  assert.equal(
    printable('a\u001b[31mred\u001b[0m\u001b]0;title\u0007b\u0000\r\n\tc\u009b'),
    'ared' + 'b\n\tc',
  );
  assert.equal(oneLine(' two\n  lines\t\u001b[2J '), 'two lines');
});

test('a moment is told to the second', () => {
  assert.equal(timestamp('2026-11-21T16:04:42.285Z'), '2026-11-21 16:04:42');
});
