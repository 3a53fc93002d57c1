// The ports of the last start: `auto` takes them again, since workers and runs that outlive the daemon know them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../config/atomic-file.ts';
import type { DataDirectory } from '../config/data-directory.ts';

const Ports = z.object({
  api: z.int().optional(),
  gateway: z.int().optional(),
  tls: z.int().optional(),
  tlsGateway: z.int().optional(),
});
export type Ports = z.infer<typeof Ports>;

/** The ports that an earlier start got; none where there was no start. */
export function lastPorts(directory: DataDirectory): Ports {
  try {
    return Ports.parse(JSON.parse(readFileSync(file(directory), 'utf8')));
  } catch {
    return {}; // the first start, or a file that nobody can use: any free port will do
  }
}

/** Keeps them for the next start. */
export async function keepPorts(directory: DataDirectory, ports: Ports): Promise<void> {
  await writeFileAtomic(file(directory), JSON.stringify(ports));
}

function file(directory: DataDirectory): string {
  return join(directory.path('run'), 'ports.json');
}
