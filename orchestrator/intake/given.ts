// What is given of a source, read by its kind. Used where one is added or changed.
import type { z } from 'zod';
import { AutocodeError } from '../../protocol/errors.ts';
import type { SourceInput } from '../../protocol/intake.ts';
import type { Queryable } from '../db/connect.ts';
import { getProject } from '../tasks/projects.ts';
import { kindNamed } from './kinds.ts';

/** Escapes that JSON.stringify writes for what PostgreSQL keeps in no text: NUL, and half of a surrogate pair. */
const UNKEPT = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/;

type Given = Pick<SourceInput, 'name' | 'kind' | 'settings'> & { project?: string | null | undefined };

/** The id of the project and the settings with their defaults; ERR_INVALID_INPUT tells each mistake with its path. */
export async function readGiven(
  db: Queryable,
  { name, kind: kindName, project, settings: given }: Given,
): Promise<{ project: number | null; settings: unknown }> {
  const kind = await kindNamed(kindName);
  const settings = kind.settings.safeParse(given);
  if (!settings.success) throw mistaken(name, kindName, settings.error.issues);
  if (UNKEPT.test(JSON.stringify(settings.data)))
    throw mistaken(name, kindName, [{ path: [], message: 'has a character that cannot be stored' }]);
  if (project == null && kind.needsProject) {
    throw new AutocodeError('ERR_INVALID_INPUT', `The source ${name} names no project.`, {
      remedy: `Nothing that a source of the kind ${kindName} says tells one: give it with --project.`,
      details: [{ path: 'project', message: 'Nothing that comes tells one: choose it.' }],
    });
  }
  return { project: project == null ? null : (await getProject(db, project)).id, settings: settings.data };
}

function mistaken(
  name: string,
  kind: string,
  issues: Pick<z.core.$ZodIssue, 'path' | 'message'>[],
): AutocodeError {
  const details = issues.map(({ path, message }) => ({ path: ['settings', ...path].join('.'), message }));
  return new AutocodeError(
    'ERR_INVALID_INPUT',
    `The settings of ${name} are not those of the kind ${kind}.`,
    {
      remedy: details.map(({ path, message }) => `${path}: ${message}`).join('\n'),
      details,
    },
  );
}
