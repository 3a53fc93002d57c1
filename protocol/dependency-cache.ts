// Caches of dependencies that workers keep between the runs of a repository: what a runner is told and tells, what people see.
import { z } from 'zod';
import { Fence, RunId, Timestamp } from './ids.ts';

const Kind = z
  .string()
  .regex(/^[a-z]+(?:-[0-9a-f]{12})?$/, 'use an isolation, or one with the beginning of a digest')
  .max(60)
  .meta({
    description: 'Isolation, with the beginning of the digest of the environment where there is one.',
  });

export const RunDependencies = z
  .object({
    kept: z.boolean().meta({ description: 'False: this run is given no caches and leaves none.' }),
    repository: z.int().meta({ description: 'The repository whose caches they are: the first of the run.' }),
    generation: z.int().meta({ description: 'How often they were cleared.' }),
    versions: z.array(RunId).meta({
      description: 'Runs whose versions may be used, the newest first; any other is to be removed.',
    }),
  })
  .meta({ id: 'RunDependencies' });
export type RunDependencies = z.infer<typeof RunDependencies>;

export const RunDependenciesUpdate = z
  .strictObject({
    fence: Fence,
    generation: z.int().meta({ description: 'As the run was told it.' }),
    kind: Kind,
    bytes: z.int().nonnegative().max(Number.MAX_SAFE_INTEGER),
  })
  .meta({ id: 'RunDependenciesUpdate' });
export type RunDependenciesUpdate = z.infer<typeof RunDependenciesUpdate>;

export const DependencyCache = z
  .object({
    repository: z.string(),
    worker: z.string(),
    kind: z.string().meta({ description: 'Isolation, and the environment where there is one.' }),
    run: z.string().meta({ description: 'The run that left this version.' }),
    bytes: z.int(),
    at: Timestamp,
  })
  .meta({ id: 'DependencyCache' });
export type DependencyCache = z.infer<typeof DependencyCache>;
