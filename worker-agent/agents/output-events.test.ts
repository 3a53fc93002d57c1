import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clean, outputEvents } from './output-events.ts';

function shown(chunks: string[], capBytes?: number) {
  const texts: string[] = [];
  const notes: string[] = [];
  const sink = outputEvents(
    (text) => texts.push(text),
    (text) => notes.push(text),
    capBytes,
  );
  for (const chunk of chunks) sink.write(Buffer.from(chunk, 'latin1'));
  sink.end();
  return { texts, notes, tail: sink.tail() };
}

test('whole lines are shown as they come, the rest at the end', () => {
  assert.deepEqual(shown(['one\ntw', 'o\nthr', 'ee']).texts, ['one\n', 'two\n', 'three']);
});

test('a character that is split between two chunks stays whole', () => {
  assert.deepEqual(shown(['\xc3', '\xa9\n']).texts, ['é\n']);
});

test('nothing printed shows nothing', () => {
  assert.deepEqual(shown([]), { texts: [], notes: [], tail: '' });
});

test('what is beyond the cap is counted, and the tail is still the end', () => {
  const { texts, notes, tail } = shown(['0123456789\n', 'more\n', 'the end\n'], 11);
  assert.deepEqual(texts, ['0123456789\n']);
  assert.deepEqual(notes, ['13 bytes of output are left out here']);
  assert.match(tail, /the end$/);
});

test('escape sequences go, other control characters are made visible', () => {
  assert.equal(clean('\u001b[1;31mred\u001b[0m\r\n\ttab\u0007\0\u001b'), 'red\n\ttab\ufffd\ufffd\ufffd');
});
