// Configuration of environments, the root directories with the tools of projects. Part of schema.ts.
import { z } from 'zod';
import { Name } from '../../protocol/ids.ts';

export const EnvironmentSettings = z.strictObject({
  map: z
    .array(
      z.strictObject({
        match: z
          .string()
          .min(1)
          .max(1000)
          .describe(
            'Address of a repository without scheme and `.git`, as `github.com/acme/*`; `*` is anything.',
          ),
        environment: Name.describe('Environment of its projects; `host`: the programs of the worker itself.'),
      }),
    )
    .default([])
    .describe(
      'Environments by repository or account, the first that matches; what a project or `.autocode.yaml` names goes before.',
    ),
  maxBytes: z
    .int()
    .min(1_000_000)
    .default(20_000_000_000)
    .describe('Most that the files of one environment may take.'),
});
