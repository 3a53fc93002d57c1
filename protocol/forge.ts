// Forges that are known here, and what of their repositories could become projects. Used by the API and the CLI.
import { z } from 'zod';
import { FORGE_KINDS, ForgeChoice } from './project.ts';

export const Forge = z
  .object({
    name: z.string(),
    kind: z.enum(FORGE_KINDS),
    url: z.string(),
    configured: z
      .boolean()
      .default(false)
      .meta({ description: 'It is in the configuration, and leaves it there; others were registered.' }),
  })
  .meta({ id: 'Forge' });
export type Forge = z.infer<typeof Forge>;

export const ForgeUse = Forge.extend({
  projects: z
    .array(z.string())
    .meta({ description: 'With a repository at its address, to which it gives the token.' }),
  changes: z
    .array(z.number().int())
    .meta({ description: 'Open ones in repositories that are in use no more.' }),
  sources: z.array(z.string()).meta({ description: 'Of work that comes in from there.' }),
  secrets: z
    .array(z.string())
    .meta({ description: 'Names of what goes with it: its token, that of its webhook.' }),
}).meta({ id: 'ForgeUse' });
export type ForgeUse = z.infer<typeof ForgeUse>;

export const ForgeInput = ForgeChoice.required({ url: true, token: true }).meta({ id: 'ForgeCreate' });
export type ForgeInput = z.infer<typeof ForgeInput>;

export const ImportableRepository = z
  .object({
    path: z.string().meta({ description: 'As `owner/name`.' }),
    cloneUrl: z.string(),
    defaultBranch: z.string(),
    archived: z.boolean(),
    private: z.boolean(),
    project: z.string().nullable().meta({ description: 'The project that has it already.' }),
  })
  .meta({ id: 'ImportableRepository' });
export type ImportableRepository = z.infer<typeof ImportableRepository>;
