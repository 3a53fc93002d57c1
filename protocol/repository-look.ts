// What an address has to say before a project is made of it. Used by the API and the page.
import { z } from 'zod';
import { ForgeKindName, VerifyCommand } from './project.ts';
import { text } from './text.ts';

export const RepositoryLookInput = z
  .strictObject({
    origin: text().min(1).max(4096).meta({ description: 'Path on the machine of the daemon, or git URL.' }),
    defaultBranch: text().min(1).max(255).optional(),
  })
  .meta({ id: 'RepositoryLookAsk' });
export type RepositoryLookInput = z.infer<typeof RepositoryLookInput>;

export const RepositoryLook = z
  .object({
    origin: z.string().meta({ description: 'As a project would keep it.' }),
    name: z.string().nullable().meta({ description: 'A name for the project, by the address.' }),
    projects: z.array(z.string()).meta({ description: 'Projects that have it already.' }),
    forge: z.string().meta({ description: 'The forge it belongs to; `local`: none that is known here.' }),
    kind: ForgeKindName.nullable().meta({
      description: 'What serves its address, where that is a forge: known here, or recognised.',
    }),
    defaultBranch: z.string().nullable(),
    verify: z.array(VerifyCommand).meta({ description: 'Commands that its files suggest.' }),
    file: z.boolean().meta({ description: 'It has an .autocode.yaml.' }),
    problem: z
      .object({ message: z.string(), remedy: z.string().nullable() })
      .nullable()
      .meta({ description: 'Why it cannot be worked on as it is; null when it can.' }),
  })
  .meta({ id: 'RepositoryLook' });
export type RepositoryLook = z.infer<typeof RepositoryLook>;
