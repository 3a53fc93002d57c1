import assert from 'node:assert/strict';
import { test } from 'node:test';
import { breakers } from './breaker.ts';

const OPEN = { code: 'ERR_ENGINE_UNAVAILABLE', message: /left alone/ };

test('five failures in a row open the circuit of that model alone; after a while one call is let through', () => {
  let now = 0;
  const circuits = breakers(() => now);
  for (let failure = 0; failure < 4; failure++) circuits.failed('a');
  circuits.check('a');
  circuits.failed('a');
  assert.throws(() => circuits.check('a'), OPEN);
  circuits.check('b');
  now += 10_001;
  circuits.check('a');
  assert.throws(() => circuits.check('a'), OPEN);
  circuits.succeeded('a');
  circuits.check('a');
});

test('a probe that fails opens it anew, for as long as the engine asks within a minute', () => {
  let now = 0;
  const circuits = breakers(() => now);
  for (let failure = 0; failure < 5; failure++) circuits.failed('a', 30_000);
  now += 29_000;
  assert.throws(() => circuits.check('a'), { ...OPEN, details: { retryAfter: 1 } });
  now += 2_000;
  circuits.check('a');
  circuits.failed('a', 3_600_000);
  now += 59_000;
  assert.throws(() => circuits.check('a'), OPEN);
  now += 2_000;
  circuits.check('a');
});

test('a success in between starts the count anew', () => {
  const circuits = breakers(() => 0);
  for (let round = 0; round < 3; round++) {
    for (let failure = 0; failure < 4; failure++) circuits.failed('a');
    circuits.succeeded('a');
  }
  circuits.check('a');
});
