import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifyCommand, words } from './settings.ts';

test('an agent command is words between spaces, or a JSON array', () => {
  assert.deepEqual(words('./agent.sh  --fast'), ['./agent.sh', '--fast']);
  assert.deepEqual(words('["sh", "-c", "echo \\"a b\\""]'), ['sh', '-c', 'echo "a b"']);
});

test('quotes outside a JSON array, and an array that is none, are refused with what to write', () => {
  assert.throws(() => words('sh -c "echo a"'), { code: 'ERR_INVALID_INPUT', remedy: /JSON array/ });
  assert.throws(() => words('["sh", 1]'), { code: 'ERR_INVALID_INPUT' });
});

test('a verify command is named by what stands before =, else by itself', () => {
  assert.deepEqual(verifyCommand('lint=npm run lint'), { name: 'lint', command: 'npm run lint' });
  assert.deepEqual(verifyCommand('web:lint=npm run lint'), {
    name: 'lint',
    command: 'npm run lint',
    in: 'web',
  });
  assert.deepEqual(verifyCommand('npm test'), { name: 'npm test', command: 'npm test' });
});
