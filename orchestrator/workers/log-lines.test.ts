import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BLOCK_BYTES, logLineReader } from './log-lines.ts';

/** A log in memory, read in pieces of any size; counts what is read. */
export function logOf(content: string | Buffer, piece = 10_000) {
  const bytes = Buffer.from(content);
  const log = {
    bytes,
    readBytes: 0,
    of: { run: '1-1', stream: 'raw', bytes: bytes.length },
    async *read(_run: string, _stream: string, from: number, to: number) {
      for (let at = from; at < to; at += piece) {
        const part = bytes.subarray(at, Math.min(to, at + piece));
        log.readBytes += part.length;
        yield part;
      }
    },
  };
  return log;
}

test('lines are given by their numbers, with where they begin; without a number the last ones', async () => {
  const log = logOf('one\ntwo\n\nfour');
  const reader = logLineReader(log);
  assert.deepEqual(await reader.lines(log.of, { from: 2, limit: 2 }), {
    bytes: 13,
    total: 4,
    lines: [
      { line: 2, at: 4, bytes: 3, text: 'two' },
      { line: 3, at: 8, bytes: 0, text: '' },
    ],
  });
  assert.deepEqual((await reader.lines(log.of, { limit: 1 })).lines, [
    { line: 4, at: 9, bytes: 4, text: 'four' },
  ]);
  assert.deepEqual((await reader.lines(log.of, { from: 5, limit: 9 })).lines, []);
  assert.deepEqual(await reader.lines({ ...log.of, run: '2-1', bytes: 0 }, { limit: 9 }), {
    bytes: 0,
    total: 0,
    lines: [],
  });
});

test('any window of any log has the lines that splitting it would give', async () => {
  const pieces = fc.array(
    fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.constant('\n'),
      fc.constant('\n'.repeat(BLOCK_BYTES)),
      fc.integer({ min: BLOCK_BYTES - 2, max: BLOCK_BYTES + 2 }).map((length) => 'x'.repeat(length)),
    ),
    { maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(pieces, fc.nat(), fc.integer({ min: 1, max: 50 }), async (parts, seed, limit) => {
      const log = logOf(parts.join(''), 30_000);
      const whole = log.bytes.toString().split('\n');
      if (whole.at(-1) === '') whole.pop();
      const from = (seed % (whole.length + 2)) + 1;
      const { total, lines } = await logLineReader(log).lines(log.of, { from, limit });
      assert.equal(total, whole.length);
      assert.deepEqual(
        lines.map(({ text }) => text),
        whole.slice(from - 1, from - 1 + lines.length).map((line) => line.slice(0, 64 * 1024)),
      );
      assert.equal(lines.length > 0, from <= total);
      for (const { at, bytes, line } of lines)
        assert.equal(log.bytes.toString('utf8', at, at + bytes), whole[line - 1]);
    }),
    { numRuns: 60 },
  );
});

test('what was counted is not read again: a window of a long log costs a block and itself', async () => {
  const log = logOf('a line of forty characters, and no more.\n'.repeat(500_000), 256 * 1024);
  const reader = logLineReader(log);
  await Promise.all([
    reader.lines(log.of, { limit: 10 }),
    reader.lines(log.of, { from: 400_000, limit: 10 }),
  ]);
  assert.ok(log.readBytes < log.bytes.length + 4 * 1024 * 1024);
  log.readBytes = 0;
  const { lines } = await reader.lines(log.of, { from: 250_001, limit: 1 });
  assert.equal(lines[0]?.at, 250_000 * 41);
  assert.ok(log.readBytes <= BLOCK_BYTES + 1024 * 1024, `${log.readBytes} bytes were read`);
});

test('a line that is longer than a window is given cut, with its whole length; the next one begins after it', async () => {
  const log = logOf(`${'x'.repeat(3_000_000)}\nnext\n${'y'.repeat(2_000_000)}`);
  const reader = logLineReader(log);
  const { total, lines } = await reader.lines(log.of, { from: 1, limit: 10 });
  assert.deepEqual(
    [total, lines.map(({ line, bytes, text }) => [line, bytes, text.length])],
    [3, [[1, 3_000_000, 64 * 1024]]],
  );
  const after = await reader.lines(log.of, { from: 2, limit: 10 });
  assert.deepEqual(after.lines, [{ line: 2, at: 3_000_001, bytes: 4, text: 'next' }]);
  const tail = await reader.lines(log.of, { limit: 10 });
  assert.deepEqual(
    tail.lines.map(({ line, bytes }) => [line, bytes]),
    [[3, 2_000_000]],
  );
});

test('a log that grows is counted on from where it was; one that cannot be read is asked for again', async () => {
  const log = logOf('one\ntwo\nthree\n');
  let broken = true;
  const reader = logLineReader({
    read(run, stream, from, to) {
      if (broken) throw new Error('no disk');
      return log.read(run, stream, from, to);
    },
  });
  await assert.rejects(reader.lines({ ...log.of, bytes: 6 }, { limit: 5 }), /no disk/);
  broken = false;
  assert.equal((await reader.lines({ ...log.of, bytes: 6 }, { limit: 5 })).lines.at(-1)?.text, 'tw');
  assert.deepEqual(
    (await reader.lines(log.of, { limit: 2 })).lines.map(({ text }) => text),
    ['two', 'three'],
  );
});
