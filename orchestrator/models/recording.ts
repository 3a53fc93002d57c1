// Recordings of model answers: JSON lines, a header and then one entry an answer; docs/recordings.md describes them.
// Read by the replay engine, written by the recorder.
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import { Name } from '../../protocol/ids.ts';
import { Dialogue } from '../../protocol/model.ts';

export const RecordingHeader = z.strictObject({
  recording: Name,
  made: z.iso.date(),
  by: z.enum(['hand', 'record']),
  description: z.string().default(''),
});
export type RecordingHeader = z.infer<typeof RecordingHeader>;

const ToolCall = z.strictObject({
  /** The tool, or its name by protocol where agents differ. */
  name: z.union([z.string().min(1), z.partialRecord(Dialogue, z.string().min(1))]),
  /** A text is for tools that take free text. */
  arguments: z.union([z.record(z.string(), z.unknown()), z.string()]).default({}),
});

export const RecordingEntry = z.strictObject({
  conversation: z.union([
    z.strictObject({ contains: z.string().min(1) }),
    z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  ]),
  protocol: Dialogue.optional(),
  /** Answers of the model before this one. */
  turn: z.number().int().nonnegative(),
  /** Whether the request offers tools; left out: either. */
  tools: z.boolean().optional(),
  answer: z.strictObject({
    text: z.string().default(''),
    toolCalls: z.array(ToolCall).default([]),
    usage: z.strictObject({
      input: z.number().int().nonnegative(),
      cached: z.number().int().nonnegative(),
      output: z.number().int().nonnegative(),
    }),
  }),
});
export type RecordingEntry = z.infer<typeof RecordingEntry>;

export interface Recording {
  header: RecordingHeader;
  entries: RecordingEntry[];
}

/** Reads and checks a recording; a mistake is told with its line. */
export async function readRecording(path: string): Promise<Recording> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new AutocodeError('ERR_MODEL_UNKNOWN', `The recording ${path} cannot be read.`, {
      remedy: 'See `autocode model list` for the recordings that are there.',
      cause,
    });
  });
  const lines = text
    .split('\n')
    .map((line, index) => ({ line, number: index + 1 }))
    .filter(({ line }) => line.trim() !== '');
  const [first, ...rest] = lines;
  const header = parseLine(RecordingHeader, path, first ?? { line: '{}', number: 1 });
  return { header, entries: rest.map((line) => parseLine(RecordingEntry, path, line)) };
}

function parseLine<T>(
  schema: z.ZodType<T>,
  path: string,
  { line, number }: { line: string; number: number },
): T {
  const parsed = schema.safeParse(tryJson(line));
  if (parsed.success) return parsed.data;
  throw new AutocodeError('ERR_INVALID_INPUT', `${path}, line ${number}: ${z.prettifyError(parsed.error)}`, {
    remedy: 'The format is described in docs/recordings.md.',
  });
}

function tryJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

const SUFFIX = '.jsonl';

/** Recordings of the directories by name; the first directory that has a name wins. A missing directory is empty. */
export function findRecordings(directories: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const directory of directories) {
    for (const file of filesOf(directory)) {
      const name = basename(file, SUFFIX);
      if (file.endsWith(SUFFIX) && !found.has(name)) found.set(name, join(directory, file));
    }
  }
  return found;
}

function filesOf(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}

/** Digest by which an entry names a conversation that has no marker of its own. */
export function conversationDigest(normalised: string): string {
  return createHash('sha256').update(normalised).digest('hex');
}
