import assert from 'node:assert/strict';
import { mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { installAgent } from './install.ts';

const PYTHON = join(import.meta.dirname, 'fixtures/python.sh');

async function inToolDir(
  pipDoes: string,
  body: (toolDir: string, install: (python?: string) => Promise<{ directory: string }>) => Promise<void>,
): Promise<void> {
  const toolDir = await mkdtemp(join(tmpdir(), 'autocode-tools-'));
  try {
    await writeFile(join(toolDir, 'pip-does'), pipDoes);
    await body(toolDir, (python = PYTHON) =>
      installAgent('aider', { toolDir, npm: ['npm'], python, progress() {} }),
    );
  } finally {
    await rm(toolDir, { recursive: true, force: true });
  }
}

test('the packages of a lock are installed beside a link to their Python', async () => {
  await inToolDir('install', async (toolDir, install) => {
    const { directory } = await install();
    assert.equal(directory, join(toolDir, 'aider-0.86.2'));
    assert.equal(await readlink(join(directory, 'python')), PYTHON);
    assert.ok((await readdir(directory)).includes('site'));
  });
});

test('without network, with a package that is not the locked one, without Python: it says so, and leaves nothing', async () => {
  for (const { pipDoes, python, said } of [
    { pipDoes: 'offline', python: PYTHON, said: { remedy: /cannot be reached: .* PIP_INDEX_URL/ } },
    { pipDoes: 'tampered', python: PYTHON, said: { message: /DO NOT MATCH THE HASHES/ } },
    {
      pipDoes: 'install',
      python: '/nonexistent/python3',
      said: {
        message: /needs Python 3\.10, 3\.11, 3\.12 with pip/,
        remedy: /apt install python3 python3-pip/,
      },
    },
  ]) {
    await inToolDir(pipDoes, async (toolDir, install) => {
      await assert.rejects(install(python), { code: 'ERR_AGENT_MISSING', ...said });
      assert.deepEqual(await readdir(toolDir), ['pip-does']);
    });
  }
});

test('packages that bring another version do not count', async () => {
  await inToolDir('install', async (toolDir, install) => {
    await writeFile(join(toolDir, 'aider-version'), '0.1.0\n');
    await assert.rejects(install(), { code: 'ERR_AGENT_FAILED', message: /says to be version 0\.1\.0/ });
  });
});
