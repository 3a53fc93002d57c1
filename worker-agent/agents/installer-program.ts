// Runs a package manager for the installers beside this file.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Runs it, each line given to `progress`; an error names it and holds its last lines. */
export async function runInstaller(
  name: string,
  [program = '', ...args]: string[],
  cwd: string,
  progress: (text: string) => void,
): Promise<void> {
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const last: string[] = [];
  for (const output of [child.stdout, child.stderr]) {
    createInterface(output).on('line', (line) => {
      progress(line);
      last.push(line);
      if (last.length > 12) last.shift();
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${name} ended with code ${code}:\n${last.join('\n')}`);
}
