import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lookInto, verifyOfTree } from './suggest-verify.ts';
import { workshop } from './testing/workshop.ts';

const CASES: { name: string; files: Record<string, string>; command: string | undefined }[] = [
  { name: 'a test script', files: { 'package.json': '{"scripts":{"test":"vitest"}}' }, command: 'npm test' },
  {
    name: "npm's placeholder",
    files: { 'package.json': '{"scripts":{"test":"echo \\"Error: no test specified\\" && exit 1"}}' },
    command: undefined,
  },
  { name: 'a broken package.json', files: { 'package.json': '{' }, command: undefined },
  { name: 'a make target', files: { Makefile: 'all:\n\ttrue\ntest: all\n\ttrue\n' }, command: 'make test' },
  { name: 'a make variable called test', files: { Makefile: 'test := 1\n' }, command: undefined },
  {
    name: 'pytest in pyproject',
    files: { 'pyproject.toml': '[tool.pytest.ini_options]\n' },
    command: 'python3 -m pytest',
  },
  { name: 'a Python project without tests', files: { 'pyproject.toml': '[project]\n' }, command: undefined },
  {
    name: 'tests of a Python project',
    files: { 'setup.py': '', 'tests/test_a.py': '' },
    command: 'python3 -m pytest',
  },
  { name: 'Go', files: { 'go.mod': 'module x\n' }, command: 'go test ./...' },
  { name: 'Rust', files: { 'Cargo.toml': '[package]\n' }, command: 'cargo test' },
  { name: 'nothing known', files: { 'README.md': 'x' }, command: undefined },
];

test('the files of a repository suggest how to verify it', async () => {
  using shop = workshop();
  for (const [index, { name, files, command }] of CASES.entries()) {
    const gitDir = `${shop.workingCopy(`w${index}`, files)}/.git`;
    const found = await verifyOfTree(shop.store.git, gitDir, 'refs/heads/main');
    assert.equal(found[0]?.command, command, name);
  }
});

test('an origin is looked at without a mirror', async () => {
  using shop = workshop();
  const origin = shop.workingCopy('w', { 'package.json': '{"scripts":{"test":"true"}}' });
  const { verify, file } = await lookInto(shop.store.git, { origin, defaultBranch: 'main' });
  assert.deepEqual(verify, [{ name: 'test', command: 'npm test' }]);
  assert.equal(file.content, null);
});
