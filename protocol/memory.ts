// Notes that agents leave about a repository for later runs: what a runner is given and sends back, what people see.
import { z } from 'zod';
import { Fence, Timestamp } from './ids.ts';
import { text } from './text.ts';

/** What the notes about one repository may hold. */
export const MEMORY_LIMITS = { files: 64, bytes: 256 * 1024 };

const PATH = /^[A-Za-z0-9_][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/;

export const MemoryFile = z
  .object({
    path: z
      .string()
      .max(200)
      .regex(PATH, 'use letters, digits, dot, dash and underscore, not starting with a dot or dash')
      .meta({ description: 'In the folder of its repository, as `notes.md`.' }),
    text: text(),
  })
  .meta({ id: 'MemoryFile' });
export type MemoryFile = z.infer<typeof MemoryFile>;

const MemoryFiles = z
  .array(MemoryFile)
  .max(MEMORY_LIMITS.files)
  .refine(
    (files) => bytesOf(files) <= MEMORY_LIMITS.bytes,
    `takes more than ${MEMORY_LIMITS.bytes / 1024} KiB`,
  );

/** Bytes of all files together. */
export function bytesOf(files: MemoryFile[]): number {
  return files.reduce((sum, file) => sum + Buffer.byteLength(file.text), 0);
}

export const RunMemory = z
  .object({
    kept: z.boolean().meta({ description: 'False: this run has no notes and leaves none.' }),
    repositories: z.array(
      z.object({
        repository: z.int(),
        version: z.int().nullable().meta({ description: 'Null when there was none yet.' }),
        files: z.array(MemoryFile),
      }),
    ),
  })
  .meta({ id: 'RunMemory' });
export type RunMemory = z.infer<typeof RunMemory>;

export const RunMemoryUpdate = z
  .strictObject({
    fence: Fence,
    repository: z.int(),
    from: z.int().nullable().meta({ description: 'The version that the run was given.' }),
    files: MemoryFiles.meta({ description: 'All of the notes as they are now; they replace the old ones.' }),
  })
  .meta({ id: 'RunMemoryUpdate' });
export type RunMemoryUpdate = z.infer<typeof RunMemoryUpdate>;

export const RunMemoryAnswer = z
  .object({
    version: z
      .int()
      .nullable()
      .meta({ description: 'Counts once the run has succeeded; null when nothing has changed.' }),
  })
  .meta({ id: 'RunMemoryAnswer' });
export type RunMemoryAnswer = z.infer<typeof RunMemoryAnswer>;

export const MemoryVersion = z
  .object({
    version: z.int(),
    repository: z.string(),
    run: z.string().nullable().meta({ description: 'The run that left them; null when they were cleared.' }),
    clearedBy: z.string().nullable(),
    count: z.int().meta({ description: 'Number of files.' }),
    bytes: z.int(),
    at: Timestamp,
  })
  .meta({ id: 'MemoryVersion' });
export type MemoryVersion = z.infer<typeof MemoryVersion>;

export const Memory = MemoryVersion.extend({ files: z.array(MemoryFile) }).meta({ id: 'Memory' });
export type Memory = z.infer<typeof Memory>;
