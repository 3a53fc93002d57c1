import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loopAtEnd } from './loop.ts';

const prose = Array.from({ length: 80 }, (_, at) => `Sentence ${at * at} is about wheel ${at}.`).join(' ');

test('a text that ends in a repetition is a loop, wherever it was cut', () => {
  const phrase = ' and then the wheel turned';
  for (const cut of [0, 1, 7, phrase.length - 1]) {
    const text = prose + phrase.repeat(20);
    const loop = loopAtEnd(text.slice(0, text.length - cut));
    assert.equal(loop?.phrase.length, phrase.length);
    assert.ok(loop.times >= 19);
  }
  assert.deepEqual(loopAtEnd('\n'.repeat(200)), { phrase: '\n', times: 200 });
});

test('long phrases that come back are one too, a few short ones are none', () => {
  assert.equal(loopAtEnd(prose + prose + prose)?.phrase.trim().length, prose.length);
  for (const text of ['', 'ready', prose, `${prose}\n  }\n  }\n  }\n}`, `${prose} ----------`])
    assert.equal(loopAtEnd(text), undefined);
});

test('it takes no time that anybody notices', () => {
  const began = performance.now();
  loopAtEnd('ab'.repeat(6_000).replace(/b$/, 'c'));
  loopAtEnd(Array.from({ length: 4_000 }, (_, at) => String.fromCharCode(97 + ((at * at) % 26))).join(''));
  assert.ok(performance.now() - began < 500);
});
