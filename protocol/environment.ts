// Environments: the root directory with a project's tools, which its runs see instead of the programs of the worker's machine.
// An archive of one is a tar, compressed with zstd: `environment.json` first, then all of the root below `root/`, parents first.
import { z } from 'zod';
import { Name, Timestamp } from './ids.ts';
import { text } from './text.ts';

/** As a project's environment: none, the programs of the worker's machine. No environment has this name. */
export const HOST_ENVIRONMENT = 'host';

/** Directories of a root that runs have their own of; an archive does not hold them, and no run sees them. */
export const NOT_OF_A_ROOT: readonly string[] = [
  'boot',
  'dev',
  'home',
  'lost+found',
  'media',
  'mnt',
  'opt/autocode',
  'proc',
  'root',
  'run',
  'sys',
  'tmp',
  'workspace',
];
/** The one part of `/var` that is kept. */
export const KEPT_OF_VAR = 'var/lib';

export const Digest = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .meta({ description: 'SHA-256 of the archive before it is compressed.' });

/** `environment.json`, the archive's first file. */
export const EnvironmentFacts = z
  .strictObject({
    variables: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), text().max(32_768)).meta({
      description: 'Added to the environment of every program of a run, `PATH` before its own.',
    }),
  })
  .meta({ id: 'EnvironmentFacts' });
export type EnvironmentFacts = z.infer<typeof EnvironmentFacts>;

export const Environment = z
  .object({
    name: Name,
    digest: Digest,
    bytes: z.number().int().meta({ description: 'Of its files.' }),
    archiveBytes: z.number().int(),
    files: z.number().int(),
    source: z.string().meta({ description: 'What it was made from.' }),
    createdBy: z.string(),
    createdAt: Timestamp,
    projects: z.array(z.string()).meta({ description: 'Projects that name it in their settings.' }),
  })
  .meta({ id: 'Environment' });
export type Environment = z.infer<typeof Environment>;

/** What a run is told. */
export const RunEnvironment = z.object({ name: z.string(), digest: Digest }).meta({ id: 'RunEnvironment' });
export type RunEnvironment = z.infer<typeof RunEnvironment>;

/** Media type of an archive. */
export const ARCHIVE_TYPE = 'application/zstd';
