// Kept prompts as an admin reads them: which calls of a run have one, and one of them, which leaves an event. For the API.
import { AutocodeError } from '../../protocol/errors.ts';
import type { KeptPrompt, ModelCall } from '../../protocol/model.ts';
import type { Queryable } from '../db/connect.ts';
import { emit } from '../events/outbox.ts';
import { listCalls } from '../gateway/calls.ts';
import { keptRequests, openPrompt } from './files.ts';

/** Where kept prompts are, and what opens them. */
export interface KeptPrompts {
  directory: string;
  key(): Promise<string>;
}

/** The calls of a run whose prompts are kept, oldest first. */
export async function listPrompts(db: Queryable, kept: KeptPrompts, run: string): Promise<ModelCall[]> {
  return await listCalls(db, run, await keptRequests(kept.directory, run));
}

/** The prompt of one call; that it was read is told before it is. */
export async function readPrompt(
  db: Queryable,
  kept: KeptPrompts,
  { run, call, by }: { run: string; call: number; by: string },
): Promise<KeptPrompt> {
  const { rows } = await db.query<{ request: string; project: number; task: number }>(
    `select request, project, task from model_call where run = $1 and id = $2`,
    [run, call],
  );
  const [found] = rows;
  const prompt =
    found && (await openPrompt(kept.directory, await kept.key(), { run, request: found.request }));
  if (prompt === undefined) {
    throw new AutocodeError('ERR_NOT_FOUND', `No prompt of call ${call} of run ${run} is kept.`, {
      remedy: `See \`autocode run prompts ${run}\`; \`autocode model policy PROJECT --keep-prompts\` keeps those to come.`,
    });
  }
  const { project, task } = found!;
  await emit(db, { kind: 'prompt.read', project, task, run, data: { call, by } });
  return prompt;
}
