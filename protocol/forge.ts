// Forges that are known here, and what of their repositories could become projects. Used by the API and the CLI.
import { z } from 'zod';
import { FORGE_KINDS, ForgeChoice } from './project.ts';

export const Forge = z
  .object({ name: z.string(), kind: z.enum(FORGE_KINDS), url: z.string() })
  .meta({ id: 'Forge' });
export type Forge = z.infer<typeof Forge>;

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
