import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeEvent, sseReader } from './sse.ts';
import type { SseEvent } from './sse.ts';

function readInPieces(bytes: Uint8Array, size: number): SseEvent[] {
  const events: SseEvent[] = [];
  const reader = sseReader((event) => events.push(event));
  for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
  reader.end();
  return events;
}

test('events are the same wherever the bytes are cut and however lines end', () => {
  const text =
    ': a comment\nevent: one\ndata: {"a":"ä€😀"}\n\ndata:no space\ndata: second line\n\nid: 3\n\ndata: [DONE]\n\n';
  const expected = [
    { event: 'one', data: '{"a":"ä€😀"}' },
    { data: 'no space\nsecond line' },
    { data: '[DONE]' },
  ];
  for (const ending of ['\n', '\r\n', '\r']) {
    const bytes = Buffer.from(text.replaceAll('\n', ending));
    for (let size = 1; size <= bytes.length; size++) {
      assert.deepEqual(
        readInPieces(bytes, size),
        expected,
        `pieces of ${size}, lines ending with ${JSON.stringify(ending)}`,
      );
    }
  }
});

test('a last event counts without its empty line', () => {
  assert.deepEqual(readInPieces(Buffer.from('data: a\n\ndata: b'), 3), [{ data: 'a' }, { data: 'b' }]);
});

test('what is encoded is read back', () => {
  const event = { event: 'x', data: '{"y":1}' };
  assert.deepEqual(readInPieces(Buffer.from(encodeEvent(event)), 1), [event]);
});
