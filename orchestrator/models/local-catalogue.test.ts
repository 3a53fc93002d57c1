import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AutocodeError } from '../../protocol/errors.ts';
import { MODEL_ROLES } from '../../protocol/model.ts';
import { parseLocalCatalogue, readLocalCatalogue, SHIPPED_CATALOGUE } from './local-catalogue.ts';

const problems = (...lines: string[]) =>
  parseLocalCatalogue(Buffer.from(lines.join('\n'))).problems.map(({ line, message, remedy }) => ({
    line,
    said: `${message} ${remedy ?? ''}`,
  }));

test('the shipped catalogue is valid, has a model for each role and a shape for each model', () => {
  const models = readLocalCatalogue(SHIPPED_CATALOGUE);
  assert.ok(models.length >= 10);
  assert.deepEqual([...new Set(models.flatMap(({ roles }) => roles))].sort(), [...MODEL_ROLES].sort());
  assert.ok(models.every(({ shape, source }) => shape !== undefined && source !== undefined));
});

test('an entry needs little, and has defaults for the rest', () => {
  const { models } = parseLocalCatalogue(Buffer.from('models:\n  - name: a\n    path: weights/a\n'));
  assert.deepEqual(
    models.map(({ engine, tensorParallel, load, replicas }) => [engine, tensorParallel, load, replicas]),
    [['vllm', 1, 'on-demand', { min: 1, max: 1 }]],
  );
});

test('what a schema finds is told with its line', () => {
  const found = problems(
    'models:',
    '  - name: a',
    '    path: a',
    '    context: long',
    '    gpu: 2',
    'more: 1',
  );
  assert.deepEqual(
    found.map(({ line }) => line),
    [4, 5, 6],
  );
  assert.match(found[0]!.said, /models\.0\.context/);
  assert.match(found[1]!.said, /no setting `models\.0\.gpu`/);
  assert.match(found[2]!.said, /no setting `more`.*Settings are models/);
  assert.match(problems('models:', '  - name: A b', '    path: a')[0]!.said, /lower-case/);
  assert.equal(problems('models:', '  - name: a')[0]!.line, 2, 'what is missing is told at its entry');
});

test('what entries say of each other is checked too', () => {
  const two = (first: string, second: string) =>
    problems(
      'models:',
      '  - name: a',
      '    path: a',
      `    ${first}`,
      '  - name: b',
      '    path: b',
      `    ${second}`,
    );
  assert.deepEqual(two('fallback: [b]', 'context: 1000'), []);
  assert.deepEqual(
    two('fallback: [gpu/large]', 'fallback: [local/a]'),
    [],
    'other engines are not known here',
  );
  const cases: [string, string, number, RegExp][] = [
    ['fallback: [c]', 'context: 1000', 4, /no model `c` to fall back to.*The models are a, b/],
    ['fallback: [b]', 'fallback: [local/a]', 4, /falls back to itself/],
    ['fallback: [a]', 'context: 1000', 4, /falls back to itself/],
    ['fallback: [b]', 'task: embed', 4, /`b` is for another task \(embed\)/],
    ['context: 1000', 'replicas: {min: 3, max: 2}', 7, /more replicas at least than at most/],
  ];
  for (const [first, second, line, said] of cases) {
    const [found] = two(first, second);
    assert.equal(found?.line, line, first);
    assert.match(found.said, said);
  }
  const twice = problems('models:', '  - name: a', '    path: a', '  - name: a', '    path: b');
  assert.deepEqual([twice[0]?.line, twice.length], [4, 1]);
});

test('a text that is no catalogue is told as such', () => {
  for (const text of ['', '- a', 'models:', 'just words']) {
    const [found] = problems(text);
    assert.match(found?.said ?? '', /expected/, text);
  }
  assert.deepEqual(problems('models: []'), []);
});

test('YAML that could mean more than it says is refused', () => {
  assert.match(problems('models: &x []', 'more: *x')[0]!.said, /Anchors and aliases/);
  assert.match(problems('models: [')[0]!.said, /./);
});

test('a file that is missing or wrong is named in the error, with all that is wrong', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'autocode-catalogue-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'models.yaml');
  const refused = (said: RegExp) =>
    assert.throws(
      () => readLocalCatalogue(path),
      (error: unknown) =>
        error instanceof AutocodeError && error.code === 'ERR_CONFIG' && said.test(error.message),
    );
  refused(/models\.yaml cannot be read: ENOENT/);
  writeFileSync(path, 'models:\n  - name: a\n    engine: other\n');
  refused(/models\.yaml is not valid: line \d: .*line \d: /s);
});
