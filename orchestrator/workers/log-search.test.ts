import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { logLineReader } from './log-lines.ts';
import { searchLog, type LogQuestion } from './log-search.ts';

function searcher(content: string) {
  const bytes = Buffer.from(content);
  const logs = {
    async *read(_run: string, _stream: string, from: number, to: number) {
      for (let at = from; at < to; at += 50_000) yield bytes.subarray(at, Math.min(to, at + 50_000));
    },
  };
  const lines = logLineReader(logs);
  const of = { run: '1-1', stream: 'raw', bytes: bytes.length };
  return async (question: LogQuestion) => await searchLog({ logs, lines }, of, question);
}

/** All matches, call by call. */
async function all(search: ReturnType<typeof searcher>, question: LogQuestion) {
  const found = [];
  for (let at: Partial<LogQuestion> = {}; ;) {
    const { matches, next } = await search({ ...question, ...at });
    found.push(...matches);
    if (next === null) return found;
    at = question.from === undefined ? { before: next } : { from: next };
  }
}

test('lines with a text are found whatever its case and colours, from the last one back or in their order', async () => {
  const search = searcher(
    'Error: one\nfine\n\u001b[31mERR\u001b[0mor: two\n\u001b]0;error\u0007title\nno error here',
  );
  assert.deepEqual(await search({ text: 'error', limit: 2 }), {
    matches: [
      { line: 5, at: 52, text: 'no error here' },
      { line: 3, at: 16, text: 'ERRor: two' },
    ],
    next: 16,
    searched: 65,
  });
  assert.deepEqual(await search({ text: 'error', before: 16, limit: 2 }), {
    matches: [{ line: 1, at: 0, text: 'Error: one' }],
    next: null,
    searched: 65,
  });
  assert.deepEqual(
    (await search({ text: 'ERROR', from: 1, before: 52, limit: 5 })).matches.map(({ line }) => line),
    [3],
  );
  assert.deepEqual((await search({ text: 'nothing', from: 0, limit: 5 })).matches, []);
});

test('whatever the log, each line with the text is found once, with its number and where it begins', async () => {
  const line = fc.oneof(
    fc.constantFrom('', 'needle', 'a NEEDLE and a needle', 'İ needle', 'hay', '\u001b[1mnee\u001b[mdle'),
    fc.integer({ min: 60_000, max: 280_000 }).map((length) => `${'x'.repeat(length)} needle`),
    fc.integer({ min: 1, max: 9 }).map((times) => 'hay\n'.repeat(times * 20_000)),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 20 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 4 }),
      async (parts, upwards, limit) => {
        const content = parts.join('\n');
        let at = 0;
        const expected = content.split('\n').flatMap((text, index) => {
          const begins = at;
          at += Buffer.byteLength(text) + 1;
          return /nee(\u001b\[m)?dle/i.test(text) ? [{ line: index + 1, at: begins }] : [];
        });
        const found = await all(searcher(content), {
          text: 'Needle',
          limit,
          ...(upwards ? { from: 0 } : {}),
        });
        assert.deepEqual(
          found.map(({ line: number, at: begins }) => ({ line: number, at: begins })),
          upwards ? expected : expected.toReversed(),
        );
        assert.ok(found.every(({ text }) => text.length <= 300));
      },
    ),
    { numRuns: 40 },
  );
});

test('a call looks at a bounded part of a long log and says where to go on', async () => {
  const search = searcher(`needle\n${'hay, hay, hay\n'.repeat(3_000_000)}`);
  const first = await search({ text: 'needle', limit: 10 });
  assert.deepEqual(first.matches, []);
  assert.ok(first.searched <= 17 * 1024 * 1024 && first.next !== null);
  const found = await all(search, { text: 'needle', limit: 10 });
  assert.deepEqual(found, [{ line: 1, at: 0, text: 'needle' }]);
});
