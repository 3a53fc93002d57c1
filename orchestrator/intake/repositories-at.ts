// The repositories of projects that an item's place names. Used by act.ts and project-of.ts.
import type { Queryable } from '../db/connect.ts';
import { isAt, registeredAt, type RegisteredRepository } from '../repos/importable.ts';
import type { Source } from './source.ts';
import type { WorkItem } from './work-item.ts';

/** Those of the source's project alone, where it has one. */
export async function repositoriesAt(
  tx: Queryable,
  { project }: Pick<Source, 'project'>,
  { forge, path }: NonNullable<WorkItem['place']>,
): Promise<RegisteredRepository[]> {
  const all = (await registeredAt(tx, forge)).filter(({ origin }) => isAt(origin, path));
  return project === null ? all : all.filter((each) => each.project === project);
}
