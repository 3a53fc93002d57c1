// The root of a container: a directory that holds the places for its mounts, and links. Used by container.ts and container-host.ts.
import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Entry } from './layout.ts';

/** Makes it; the runtime would make what is missing, with rights of its own choice. */
export function makeRoot(root: string, entries: Entry[]): void {
  mkdirSync(root, { recursive: true, mode: 0o755 });
  for (const entry of entries) {
    const at = path.join(root, entry.at);
    mkdirSync(path.dirname(at), { recursive: true, mode: 0o755 });
    if (entry.kind === 'link') symlinkSync(entry.to, at);
    else if (entry.kind !== 'host' || statSync(entry.from).isDirectory())
      mkdirSync(at, { recursive: true, mode: 0o755 });
    else writeFileSync(at, '', { flag: 'a' });
  }
}
