// A sandbox over temporary directories, for starting an agent outside a run: by `agent check` and by the agents' tests.
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { processesOf } from '../run-processes.ts';
import { openDirectorySandbox } from '../sandbox/directory.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';

export interface ScratchSandbox extends Sandbox {
  /** Processes that are alive in it. */
  processes(): number[];
}

/** Opens one with an empty work tree; close() removes it. */
export async function openScratchSandbox(gatewayUrl: string): Promise<ScratchSandbox> {
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
    path: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
    processes: scope,
  });
  return {
    ...sandbox,
    processes: () => processesOf(scope),
    async close() {
      await sandbox.close();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
