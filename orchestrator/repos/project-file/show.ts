// The `.autocode.yaml` of a project as it is at its repository now. Used by the API.
import type { FileReading } from '../../../protocol/project-file.ts';
import type { Project } from '../../../protocol/project.ts';
import type { Queryable } from '../../db/connect.ts';
import { keepFile } from '../../tasks/known-file.ts';
import { branchCommit } from '../base.ts';
import { fetchMirror, type RepositoryStore } from '../mirror.ts';
import { readProjectFile } from './read.ts';

/** Fetches the first repository of a project and reads the file at a branch of it, the default one when none is named. */
export async function fileOfProject(
  { db, store, stopping }: { db: Queryable; store: RepositoryStore; stopping: AbortSignal },
  { id, repositories }: Project,
  branch: string | undefined,
): Promise<FileReading> {
  const primary = repositories[0]!;
  const mirror = await fetchMirror(store, primary, { signal: stopping });
  const commit = await branchCommit(store.git, mirror, primary.origin, branch ?? primary.defaultBranch);
  const reading = await readProjectFile(store.git, mirror, commit);
  if (branch === undefined || branch === primary.defaultBranch) await keepFile(db, id, reading);
  return reading;
}
