// A sandbox `directory` over an empty work tree, for tests.
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openDirectorySandbox } from '../sandbox/directory.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';

/** Closed, with all its processes, at the end of the scope. */
export async function openedSandbox(): Promise<AsyncDisposable & { sandbox: Sandbox; directory: string }> {
  const directory = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'autocode-sandbox-')));
  const at = (name: string) => path.join(directory, name);
  mkdirSync(at('tree'));
  const sandbox = await openDirectorySandbox({
    run: '1-1',
    tree: at('tree'),
    home: at('home'),
    tmp: at('tmp'),
    gatewayUrl: 'http://127.0.0.1:9',
    toolDir: at('tools'),
    path: process.env.PATH ?? '',
    processes: { mark: path.basename(directory), directory },
  });
  return {
    sandbox,
    directory,
    async [Symbol.asyncDispose]() {
      await sandbox.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
