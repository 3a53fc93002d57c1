import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spansOf } from './ansi.ts';

const texts = (line: string) =>
  spansOf(line)
    .map(({ text }) => text)
    .join('');

test('colours of all depths become those of the page, and end where they end', () => {
  assert.deepEqual(spansOf('a \u001b[1;31mred\u001b[0m b'), [
    { text: 'a ', className: '' },
    { text: 'red', className: 'text-bad  font-semibold' },
    { text: ' b', className: '' },
  ]);
  const ink = (codes: string) => spansOf(`\u001b[${codes}mx`)[0]!.className;
  assert.equal(ink('92'), 'text-good');
  assert.equal(ink('38;5;196'), 'text-bad');
  assert.equal(ink('38;5;244'), '');
  assert.equal(ink('38;2;20;20;230'), 'text-info');
  assert.equal(ink('38:2:255:250:0'), 'text-warn');
  assert.equal(ink('48;5;21'), 'bg-info/10');
  assert.equal(ink('38;2;250;0;0;1'), 'text-bad  font-semibold');
  assert.equal(ink('7'), 'bg-ink text-surface');
  assert.equal(ink('31;39'), '');
  assert.equal(ink('?31'), '');
});

test('titles, links, cursor movements and unfinished escapes do nothing, and hide nothing', () => {
  assert.equal(
    texts('\u001b]0;title\u0007a\u001b]8;;https://evil.example\u001b\\link\u001b]8;;\u001b\\'),
    'alink',
  );
  assert.equal(texts('\u001b[2J\u001b[10Ax\u001b[?25l\u001b(By\u001b7z'), 'xyz');
  assert.equal(texts('\u001bP1;2|payload\u001b\\a'), 'a');
  assert.equal(texts('a\u001b]0;no end of it'), 'a␛]0;no end of it');
  assert.equal(texts('\u001b[31'), '␛[31');
});

test('what reorders or hides text is shown as a mark; markup is text', () => {
  assert.equal(
    texts('user\u202E\u2066// admin\u2069 \u200b\u0000\u009b31m'),
    'user‹202E›‹2066›// admin‹2069› ‹200B›␀‹009B›31m',
  );
  assert.equal(texts('<img src=x onerror=alert(1)>'), '<img src=x onerror=alert(1)>');
});

test('what a progress bar wrote over is not seen, whatever ends the line', () => {
  assert.equal(texts('10 %\r20 %\r30 %'), '30 %');
  assert.equal(texts('done\r'), 'done');
  assert.equal(texts('\r'), '');
});
