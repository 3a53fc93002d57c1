// How long a program takes to begin in a sandbox of ours and in a bare bwrap. Used by the benchmarks of sandbox and fleet.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { bubblewrapHost } from '../../worker-agent/sandbox/bubblewrap-host.ts';
import { openScratchConfined } from '../../worker-agent/sandbox/scratch.ts';
import { tryWaysOut } from '../../worker-agent/sandbox/self-test/quick.ts';

const BARE = [
  '--unshare-all',
  '--die-with-parent',
  '--ro-bind',
  '/usr',
  '/usr',
  '--symlink',
  'usr/bin',
  '/bin',
  '--symlink',
  'usr/lib',
  '/lib',
  '--symlink',
  'usr/lib64',
  '/lib64',
  '--proc',
  '/proc',
  '--dev',
  '/dev',
  '/usr/bin/true',
];

const run = promisify(execFile);

/** Each answers with milliseconds. */
export interface SandboxStarts {
  bare(): Promise<number>;
  /** From the call to the program's first byte; with the way to the gateway, as an agent has it, or without. */
  own(gateway: boolean): Promise<number>;
  selfTest(): Promise<number>;
  close(): Promise<void>;
}

/** Opens a sandbox as runs have it. */
export async function openSandboxStarts(): Promise<SandboxStarts> {
  const host = await bubblewrapHost(process.env.PATH ?? '');
  const sandbox = await openScratchConfined(host);
  return {
    bare: async () => await timed(async () => await run(host.bwrap, BARE)),
    async own(gateway) {
      const started = performance.now();
      const child = sandbox.spawn(['echo', 'begun'], { gateway });
      await new Promise((resolve) => child.stdout.once('data', resolve));
      const took = performance.now() - started;
      await child.exited;
      return took;
    },
    selfTest: async () => await timed(async () => await tryWaysOut(sandbox, [sandbox.directory])),
    close: async () => await sandbox.close(),
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
