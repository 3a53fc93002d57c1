// Runs a program of the system (chown, du, sync) for the workspace, and fails with its own last words.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { AutocodeError } from '../../protocol/errors.ts';
import type { GitContext } from './git.ts';

const run = promisify(execFile);

/** Answers with its output. It ends when the run does. */
export async function command(context: GitContext, [program = '', ...args]: string[]): Promise<string> {
  context.signal.throwIfAborted();
  try {
    const { stdout } = await run(program, args, {
      env: { PATH: context.path, LC_ALL: 'C' },
      signal: context.signal,
    });
    return stdout;
  } catch (cause) {
    context.signal.throwIfAborted();
    const words = lastWords(cause);
    const full = words.includes('No space left on device');
    throw new AutocodeError(full ? 'ERR_DISK_FULL' : 'ERR_INTERNAL', `${program} failed: ${words}`, {
      ...(full ? { remedy: "Free space under the worker's state directory." } : {}),
      cause,
    });
  }
}

function lastWords(error: unknown): string {
  const { stderr, message } = error as Error & { stderr?: string };
  return stderr?.trim().split('\n').at(-1) || message;
}
