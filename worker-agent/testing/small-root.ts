// Makes a root directory with a few programs of this machine and their libraries, as small as an environment can be. For tests.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const PROGRAMS = ['sh', 'cat', 'ls', 'id', 'env', 'mkdir', 'rm', 'dirname', 'touch', 'chmod', 'sleep'];

/** Fills a directory that it makes; `scripts` become programs of /usr/bin. Without `node` not even Node's libraries are there. */
export function makeSmallRoot(
  root: string,
  { scripts = {}, node = true }: { scripts?: Record<string, string>; node?: boolean } = {},
): void {
  const programs = PROGRAMS.map((name) => `/usr/bin/${name}`).filter(existsSync);
  for (const program of programs) copy(root, program);
  for (const library of librariesOf([...programs, ...(node ? [process.execPath] : [])])) copy(root, library);
  for (const [name, text] of Object.entries(scripts)) {
    writeFileSync(path.join(root, 'usr/bin', name), text);
    chmodSync(path.join(root, 'usr/bin', name), 0o755);
  }
  mkdirSync(path.join(root, 'bin'), { recursive: true });
  copy(root, '/usr/bin/sh', '/bin/sh');
}

function librariesOf(programs: string[]): string[] {
  const said = execFileSync('ldd', programs, { encoding: 'utf8' });
  return [...new Set([...said.matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)].map(([, file]) => file!))];
}

function copy(root: string, from: string, at = from): void {
  const target = path.join(root, at);
  mkdirSync(path.dirname(target), { recursive: true });
  copyFileSync(from, target);
  chmodSync(target, 0o755);
}
