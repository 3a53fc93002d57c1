import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { everyVerb, nameOf } from './program.ts';
import { cliReference } from './reference.ts';

test('docs/cli.md is what the definitions of the verbs say', async () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/cli.md'), 'utf8');
  assert.equal(page, await cliReference(), 'run `node orchestrator/cli/reference.ts > docs/cli.md`');
});

test('every verb has a description and an example that begins with its own words', () => {
  for (const { above, verb } of everyVerb()) {
    const words = [...above, nameOf(verb)].join(' ');
    assert.ok(verb.describe.length > 5, words);
    assert.ok(
      verb.examples.length > 0 && verb.examples.every(([example]) => example.startsWith(words)),
      words,
    );
  }
});

test('every verb has a handler', async () => {
  for (const { verb } of everyVerb()) {
    assert.equal(typeof (await verb.load()), 'function', verb.command);
  }
});
