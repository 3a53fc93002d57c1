// A sandbox over temporary directories, for starting an agent outside a run: by `agent check` and by the agents' tests.
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { processesOf } from '../run-processes.ts';
import { confinedHost } from '../sandbox/confined.ts';
import { openDirectorySandbox } from '../sandbox/directory.ts';
import { openScratchConfined } from '../sandbox/scratch.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';

export interface ScratchSandbox extends Sandbox {
  /** The work tree, as seen outside. */
  tree: string;
  /** Processes that are alive in it. */
  processes(): number[];
}

export interface ScratchSandboxOptions {
  toolDir: string;
  isolation?: Sandbox['kind'];
}

const PATH = `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`;

/** Opens one with an empty work tree; close() removes it. */
export async function openScratchSandbox(
  gatewayUrl: string,
  { toolDir, isolation = 'directory' }: ScratchSandboxOptions,
): Promise<ScratchSandbox> {
  if (isolation !== 'directory') {
    const sandbox = await openScratchConfined(await confinedHost(isolation, PATH), { gatewayUrl, toolDir });
    return { ...sandbox, processes: () => processesOf(sandbox) };
  }
  const directory = await mkdtemp(join(tmpdir(), 'autocode-agent-'));
  const scope = { mark: randomUUID(), directory };
  const tree = join(directory, 'work');
  await mkdir(tree);
  const sandbox = await openDirectorySandbox({
    run: 'scratch',
    tree,
    home: join(directory, 'home'),
    tmp: join(directory, 'tmp'),
    gatewayUrl,
    toolDir,
    path: PATH,
    processes: scope,
  });
  return {
    ...sandbox,
    tree,
    processes: () => processesOf(scope),
    async close() {
      await sandbox.close();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
