import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AGENTS } from './catalogue.ts';
import { upgradeAgents } from './upgrade.ts';

const NPM = [join(import.meta.dirname, 'fixtures/npm.sh')];
const PINNED = AGENTS['qwen-coder'].version;

interface Scene {
  toolDir: string;
  stateDir: string;
  upgrade(names?: string[], dryRun?: boolean): ReturnType<typeof upgradeAgents>;
  /** Versions of qwen-coder that are there. */
  versions(): Promise<string[]>;
}

/** A tool directory with an old qwen-coder, and the directory of its worker. */
async function scene(body: (scene: Scene) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'autocode-upgrade-'));
  const [toolDir, stateDir] = [join(directory, 'agents'), join(directory, 'worker')];
  try {
    await mkdir(join(toolDir, 'qwen-coder-0.23.0'), { recursive: true });
    await writeFile(join(toolDir, 'npm-does'), 'install');
    await body({
      toolDir,
      stateDir,
      upgrade: (names = [], dryRun = false) =>
        upgradeAgents(names, { toolDir, stateDir, dryRun, npm: NPM, progress() {} }),
      versions: async () =>
        (await readdir(toolDir)).filter((name) => /qwen-coder-/.test(name)).map((name) => name.slice(11)),
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function aRun(stateDir: string, agent: string): Promise<void> {
  await mkdir(join(stateDir, 'runs/7-1'), { recursive: true });
  await writeFile(join(stateDir, 'runs/7-1/order.json'), JSON.stringify({ agent: { name: agent } }));
}

test('an upgrade installs the pinned version, removes the old one, and is idempotent', async () => {
  await scene(async ({ upgrade, versions }) => {
    const about = { name: 'qwen-coder', to: PINNED, kept: [] };
    assert.deepEqual(await upgrade(), [
      { ...about, from: ['0.23.0'], done: 'installed', removed: ['0.23.0'] },
    ]);
    assert.deepEqual(await versions(), [PINNED]);
    assert.deepEqual(await upgrade(), [{ ...about, from: [], done: 'up-to-date', removed: [] }]);
  });
});

test('a dry run says what would be done and does nothing', async () => {
  await scene(async ({ upgrade, versions }) => {
    const [said] = await upgrade([], true);
    assert.deepEqual([said?.done, said?.removed], ['installed', ['0.23.0']]);
    assert.deepEqual(await versions(), ['0.23.0']);
  });
});

test('an old version stays while a run uses its agent, and no longer', async () => {
  await scene(async ({ stateDir, upgrade, versions }) => {
    await aRun(stateDir, 'qwen-coder');
    assert.deepEqual((await upgrade())[0]?.kept, ['0.23.0']);
    assert.deepEqual((await versions()).sort(), ['0.23.0', PINNED]);
    await aRun(stateDir, 'codex');
    assert.deepEqual((await upgrade())[0]?.removed, ['0.23.0']);
    assert.deepEqual(await versions(), [PINNED]);
  });
});

test('what a run uses is not guessed: an order that cannot be read keeps all', async () => {
  await scene(async ({ stateDir, upgrade }) => {
    await aRun(stateDir, 'qwen-coder');
    await writeFile(join(stateDir, 'runs/7-1/order.json'), '{"agent":');
    assert.deepEqual((await upgrade())[0]?.kept, ['0.23.0']);
  });
});

test('without network the old version stays', async () => {
  await scene(async ({ toolDir, upgrade, versions }) => {
    await writeFile(join(toolDir, 'npm-does'), 'offline');
    await assert.rejects(upgrade(), { code: 'ERR_AGENT_MISSING' });
    assert.deepEqual(await versions(), ['0.23.0']);
  });
});

test('one that is named is installed, and an unknown name refused', async () => {
  await scene(async ({ toolDir, upgrade, versions }) => {
    await rm(join(toolDir, 'qwen-coder-0.23.0'), { recursive: true });
    assert.deepEqual(await upgrade(), []);
    assert.deepEqual((await upgrade(['qwen-coder'])).length, 1);
    assert.deepEqual(await versions(), [PINNED]);
    await assert.rejects(upgrade(['gpt']), { code: 'ERR_AGENT_UNKNOWN' });
  });
});
