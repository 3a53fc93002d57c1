// The certificate authority that this worker trusts at the orchestrator, instead of those of the system. Used by the claimer,
// the runner and the worker for runs whose runner died; git reads the file itself.
import { readFileSync } from 'node:fs';
import { AutocodeError } from '../protocol/errors.ts';

/** The certificates in the worker's `caFile`; undefined without one. */
export function authorityIn(caFile: string | undefined): string | undefined {
  if (caFile === undefined) return undefined;
  try {
    return readFileSync(caFile, 'utf8');
  } catch (cause) {
    throw new AutocodeError('ERR_CONFIG', `caFile cannot be read: ${(cause as Error).message}.`, {
      remedy: 'Join the orchestrator again: `autocode worker invite` there prints the command.',
      cause,
    });
  }
}
