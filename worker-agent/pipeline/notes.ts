// The notes of earlier runs: laid into the sandbox before the agent starts, and read back when its work is verified, by
// programs inside, since outside a link among them would lead anywhere. Whatever is wrong with notes, the run goes on without.
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import { MEMORY_LIMITS, type MemoryFile } from '../../protocol/memory.ts';
import { isNotOurs } from '../runner/ownership.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { GIVE, READ } from './notes-inside.ts';
import type { Pipeline } from './run-record.ts';

export interface Notes {
  /** As seen inside; each repository has a folder of its name there. */
  directory: string;
  repositories: { id: number; name: string; version: number | null; files: MemoryFile[] }[];
}

const Read = z.union([
  z.object({ files: z.array(z.object({ path: z.string(), text: z.string() })) }),
  z.object({ refused: z.string() }),
]);

const INSIDE_MS = 20_000;

/** Lays the notes of earlier runs into HOME. Null when this run has none and leaves none. */
export async function giveNotes(pipeline: Pipeline, sandbox: Sandbox): Promise<Notes | null> {
  const { api, order, log, signal } = pipeline;
  const { kept, repositories } = await api.memory();
  if (!kept) return null;
  const directory = `${sandbox.home}/memory`;
  const named = order.repositories.flatMap(({ id, name }) => {
    const found = repositories.find(({ repository }) => repository === id);
    return found === undefined ? [] : [{ id, name, version: found.version, files: found.files }];
  });
  try {
    await runInside(sandbox, [GIVE, directory], JSON.stringify(named), signal);
  } catch (error) {
    signal.throwIfAborted();
    log.event({
      type: 'notice',
      text: `The agent gets no notes of earlier runs: ${(error as Error).message}`,
    });
    return null;
  }
  for (const { name, version, files } of named.filter((each) => each.files.length > 0))
    log.event({
      type: 'notice',
      text: `The agent has the notes of earlier runs about ${name}, version ${version}: ${files.map(({ path }) => path).join(', ')}.`,
    });
  return { directory, repositories: named };
}

/** The sandbox as the agent has it: `AUTOCODE_MEMORY` says where its notes are. */
export function withNotes(sandbox: Sandbox, notes: Notes | null): Sandbox {
  if (notes === null) return sandbox;
  const AUTOCODE_MEMORY = notes.directory;
  return {
    ...sandbox,
    spawn: (argv, options) => sandbox.spawn(argv, { ...options, env: { AUTOCODE_MEMORY, ...options.env } }),
  };
}

/** Sends what the agent made of the notes, of each repository all or nothing. It counts once the run has succeeded. */
export async function keepNotes(pipeline: Pipeline, sandbox: Sandbox, notes: Notes | null): Promise<void> {
  const { log, signal } = pipeline;
  if (notes === null) return;
  await sandbox.killAll(); // nothing writes while they are read
  for (const repository of notes.repositories) {
    try {
      const version = await keepOne(pipeline, sandbox, { ...repository, directory: notes.directory });
      if (version === null) continue;
      const text = `The notes about ${repository.name} are kept as version ${version} when this run succeeds.`;
      log.event({ type: 'notice', text });
    } catch (error) {
      signal.throwIfAborted();
      if (isNotOurs(error)) throw error;
      const text = `The notes about ${repository.name} are not kept; those from before stay. ${(error as Error).message}`;
      log.event({ type: 'notice', text });
    }
  }
}

async function keepOne(
  { api, signal }: Pipeline,
  sandbox: Sandbox,
  { id, name, version: from, directory }: Notes['repositories'][number] & { directory: string },
): Promise<number | null> {
  const { files: most, bytes } = MEMORY_LIMITS;
  const argv = [READ, `${directory}/${name}`, String(most), String(bytes)];
  const read = Read.parse(JSON.parse(await runInside(sandbox, argv, '', signal)));
  if ('refused' in read) throw new AutocodeError('ERR_INVALID_INPUT', read.refused.slice(0, 500));
  return (await api.keepMemory({ repository: id, from, files: read.files })).version;
}

/** Runs a script with Node.js inside; what it printed. */
export async function runInside(
  sandbox: Sandbox,
  [script = '', ...words]: string[],
  input: string,
  signal: AbortSignal,
): Promise<string> {
  const child = sandbox.spawn([sandbox.node, '-e', script, '--', ...words], {
    cwd: sandbox.home,
    stdin: 'pipe',
  });
  const limit = AbortSignal.any([signal, AbortSignal.timeout(INSIDE_MS)]);
  const end = () => child.kill('SIGKILL');
  limit.addEventListener('abort', end, { once: true });
  if (limit.aborted) end();
  try {
    child.stdin?.on('error', () => {}); // the exit code says it
    child.stdin?.end(input);
    const [printed, errors, { code, signal: killed }] = await Promise.all([
      buffer(child.stdout),
      buffer(child.stderr),
      child.exited,
    ]);
    if (code === 0) return printed.toString();
    const why = errors.toString().trim().slice(-500) || (killed ?? `exit code ${code}`);
    throw new AutocodeError('ERR_AGENT_FAILED', `Files cannot be read or written in the sandbox: ${why}`);
  } finally {
    limit.removeEventListener('abort', end);
  }
}
