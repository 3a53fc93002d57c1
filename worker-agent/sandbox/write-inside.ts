// Writes a file in a sandbox's HOME by a program inside: what runs there may have put a link in the file's place, which outside
// would lead anywhere. Used by the agents.
import { once } from 'node:events';
import path from 'node:path';
import { AutocodeError } from '../../protocol/errors.ts';
import type { Sandbox } from './sandbox.ts';

const SCRIPT = 'mkdir -p -- "$(dirname -- "$1")" && rm -rf -- "$1" && cat > "$1"';

/** Writes a text; the path is relative to HOME. Answers with the path as seen inside. */
export async function writeInHome(sandbox: Sandbox, file: string, text: string): Promise<string> {
  const target = path.join(sandbox.home, file);
  const child = sandbox.spawn(['/bin/sh', '-c', SCRIPT, 'sh', target], { stdin: 'pipe' });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-2000)));
  const told = once(child.stderr, 'close');
  child.stdout.resume();
  child.stdin?.on('error', () => {}); // the exit code says it
  child.stdin?.end(text);
  const { code, signal } = await child.exited;
  if (code === 0) return target;
  await told;
  throw new AutocodeError(
    'ERR_AGENT_FAILED',
    `${file} cannot be written into HOME: ${errors.trim() || (signal ?? `exit code ${code}`)}`,
  );
}
