import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { applicationPackage } from './ray-serve-package.ts';

test('the package is a zip file that Python reads, with the application in it; its name tells its content', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'autocode-package-'));
  try {
    const { name, content } = await applicationPackage();
    assert.match(name, /^_ray_pkg_autocode_[0-9a-f]{16}\.zip$/);
    assert.deepEqual(await applicationPackage(), { name, content });
    const file = join(dir, name);
    await writeFile(file, content);
    execFileSync('python3', ['-m', 'zipfile', '-t', file]);
    execFileSync('python3', ['-m', 'zipfile', '-e', file, dir]);
    const source = join(import.meta.dirname, 'ray_serve_app.py');
    assert.equal(await readFile(join(dir, 'ray_serve_app.py'), 'utf8'), await readFile(source, 'utf8'));
  } finally {
    await rm(dir, { recursive: true });
  }
});
