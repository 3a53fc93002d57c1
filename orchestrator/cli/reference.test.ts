import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { everyVerb, nameOf, program } from './program.ts';
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

/** The words of an example, as a shell would split them, up to where its output goes. */
function wordsOf(example: string): string[] {
  const words = example.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [];
  const end = words.findIndex((word) => /^[<>|&]/.test(word));
  return words.slice(0, end < 0 ? words.length : end).map((word) => word.replaceAll(/['"]/g, ''));
}

test('every example is taken by its verb as it is printed', async () => {
  for (const { verb } of everyVerb()) {
    const { load } = verb;
    try {
      for (const [example] of verb.examples) {
        let ran = false;
        verb.load = async () => async () => void (ran = true);
        await program(wordsOf(example)).parseAsync();
        assert.ok(ran, example);
      }
    } finally {
      verb.load = load;
    }
  }
});

test('every verb has a handler', async () => {
  for (const { verb } of everyVerb()) {
    assert.equal(typeof (await verb.load()), 'function', verb.command);
  }
});
