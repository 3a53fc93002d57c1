// Limits of runs and of the cache on a worker's machine: part of the daemon's configuration (for its local worker) and of a worker's own.
import { z } from 'zod';

/** What the processes of one sandbox may take, and see beyond the system's own programs. */
export const SandboxSettings = z.strictObject({
  memoryMb: z
    .int()
    .min(64)
    .default(4096)
    .describe('Memory of a run on this machine, its files in `/tmp` counted in.'),
  pids: z.int().min(32).default(2048).describe('Processes and threads of a run at a time.'),
  cpus: z.number().min(0).default(0).describe('Processors of a run, as 1.5; 0: all there are.'),
  toolchains: z
    .array(z.string().startsWith('/', 'use an absolute path'))
    .default([])
    .describe('More directories that runs may read, as `/opt/go`; what is in their `bin` is found by name.'),
});
export type SandboxSettings = z.infer<typeof SandboxSettings>;

/** How the work trees of runs are made, and what of the disk they may take. */
export const WorkspaceSettings = z.strictObject({
  overlay: z
    .boolean()
    .default(true)
    .describe(
      'Whether work trees on this machine are overlays over a cached checkout where the kernel allows.',
    ),
  cacheBytes: z
    .int()
    .min(0)
    .default(20_000_000_000)
    .describe(
      'Most that cached checkouts, objects, environments and caches of dependencies take together; never more than a quarter of the file system.',
    ),
  dependencyBytes: z
    .int()
    .min(0)
    .default(2_000_000_000)
    .describe(
      'Most that the caches of dependencies of one repository take; when they outgrow it, the next run begins without. 0: none are kept.',
    ),
  runBytes: z
    .int()
    .min(1_000_000)
    .default(20_000_000_000)
    .describe("Most that one run's files take, those of the cache not counted in; a run beyond it fails."),
});
export type WorkspaceSettings = z.infer<typeof WorkspaceSettings>;
