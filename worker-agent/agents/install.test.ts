import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { AGENTS } from './catalogue.ts';
import { installAgent } from './install.ts';
import { installedAgents } from './installed.ts';

const NPM = [join(import.meta.dirname, 'fixtures/npm.sh')];
const NAME = 'qwen-coder';
const DIRECTORY = `${NAME}-${AGENTS[NAME].version}`;

// Always there.
const COMMAND = { name: 'command', version: null, protocol: null };

describe('installAgent', () => {
  test('installs once, whole, and is idempotent', async () => {
    await inToolDir('install', async (toolDir, install) => {
      assert.deepEqual(await install(), { directory: join(toolDir, DIRECTORY), installed: true });
      assert.deepEqual(await install(), { directory: join(toolDir, DIRECTORY), installed: false });
      assert.deepEqual(await installedAgents(toolDir), [
        { name: NAME, version: AGENTS[NAME].version, protocol: 'chat' },
        COMMAND,
      ]);
      await access(
        join(toolDir, DIRECTORY, 'node_modules/@qwen-code/qwen-code/vendor/ripgrep/x64-linux/rg'),
        constants.X_OK,
      );
      assert.deepEqual(await leftovers(toolDir), []);
    });
  });

  test('two at once make one', async () => {
    await inToolDir('install', async (toolDir, install) => {
      const both = await Promise.all([install(), install()]);
      assert.deepEqual(both.filter(({ installed }) => installed).length, 1);
      assert.equal(await readFile(join(toolDir, 'npm-runs'), 'utf8'), 'run\n');
    });
  });

  test('without network it says so, and leaves nothing', async () => {
    await inToolDir('offline', async (toolDir, install) => {
      await assert.rejects(install(), { code: 'ERR_AGENT_MISSING', remedy: /registry cannot be reached/ });
      assert.deepEqual(await leftovers(toolDir), []);
      assert.deepEqual(await installedAgents(toolDir), [COMMAND]);
    });
  });

  test('on a full disk it says so', async () => {
    await inToolDir('full', async (_, install) => {
      await assert.rejects(install(), { code: 'ERR_DISK_FULL' });
    });
  });

  test('a package that says to be another version does not count', async () => {
    await inToolDir('install', async (toolDir, install) => {
      await writeFile(join(toolDir, 'npm-version'), '0.1.0');
      await assert.rejects(install(), { code: 'ERR_AGENT_FAILED', message: /says to be version 0\.1\.0/ });
      assert.deepEqual(await installedAgents(toolDir), [COMMAND]);
    });
  });

  test('a package without the program for this machine does not count', async () => {
    await inToolDir('install', async (toolDir) => {
      const install = installAgent('codex', { toolDir, npm: NPM, progress() {} });
      await assert.rejects(install, { code: 'ERR_AGENT_MISSING', message: /codex-acp/ });
      assert.deepEqual(await installedAgents(toolDir), [COMMAND]);
      assert.deepEqual(await leftovers(toolDir), []);
    });
  });

  test('killed in the middle, the next one starts afresh and cleans up', async () => {
    await inToolDir('hang', async (toolDir, install) => {
      const script = `import { installAgent } from ${JSON.stringify(join(import.meta.dirname, 'install.ts'))};
        await installAgent('${NAME}', { toolDir: ${JSON.stringify(toolDir)}, npm: ${JSON.stringify(NPM)}, progress: console.log });`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
        detached: true,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      for await (const line of createInterface(child.stdout)) if (line === 'hanging') break;
      process.kill(-child.pid!, 'SIGKILL');
      await once(child, 'exit');
      assert.deepEqual(await installedAgents(toolDir), [COMMAND]);
      assert.equal((await leftovers(toolDir)).length, 1);
      await writeFile(join(toolDir, 'npm-does'), 'install');
      assert.equal((await install()).installed, true);
      assert.deepEqual(await leftovers(toolDir), []);
    });
  });

  test('a directory without a whole stamp is replaced', async () => {
    await inToolDir('install', async (toolDir, install) => {
      await install();
      await writeFile(join(toolDir, DIRECTORY, 'autocode-agent.json'), '{"name":');
      assert.equal((await install()).installed, true);
    });
  });

  test('a program of the user has nothing to install', async () => {
    await assert.rejects(installAgent('command', { toolDir: '/nonexistent', npm: NPM, progress() {} }), {
      code: 'ERR_INVALID_INPUT',
    });
  });
});

type Install = () => Promise<{ directory: string; installed: boolean }>;

async function inToolDir(
  npmDoes: string,
  body: (toolDir: string, install: Install) => Promise<void>,
): Promise<void> {
  const toolDir = await mkdtemp(join(tmpdir(), 'autocode-tools-'));
  try {
    await writeFile(join(toolDir, 'npm-does'), npmDoes);
    await body(toolDir, () => installAgent(NAME, { toolDir, npm: NPM, progress() {} }));
  } finally {
    await rm(toolDir, { recursive: true, force: true });
  }
}

async function leftovers(toolDir: string): Promise<string[]> {
  return (await readdir(toolDir)).filter((name) => name.startsWith('.new-'));
}
