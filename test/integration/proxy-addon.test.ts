// The add-ons of the egress proxy by their own tools: format, lint, types and tests in Python.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const ROOT = path.resolve(import.meta.dirname, '../..');
const BIN = path.join(ROOT, '.runtime/servers/mitmproxy/bin');

for (const [what, program, ...words] of [
  ['are written as their formatter writes them', 'ruff', 'format', '--check', '.'],
  ['have nothing that their linter finds', 'ruff', 'check', '.'],
  ['have the types that they say', 'mypy', '.'],
  ['pass their tests', 'python', '-m', 'pytest', '-q'],
] as const) {
  test(`the add-ons ${what}`, async () => {
    await promisify(execFile)(path.join(BIN, program), words, {
      cwd: path.join(ROOT, 'proxy-addon'),
      env: {
        PATH: process.env.PATH,
        PYTHONDONTWRITEBYTECODE: '1',
        MYPY_CACHE_DIR: path.join(BIN, '../.mypy'),
        RUFF_NO_CACHE: 'true',
        PYTEST_ADDOPTS: '-p no:cacheprovider',
      },
    });
  });
}
