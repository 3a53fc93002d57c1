// What of a forge's repositories could become projects, and which are projects already. Used by the API.
import type { ImportableRepository } from '../../protocol/forge.ts';
import type { Queryable } from '../db/connect.ts';
import type { Forges } from './forge/forges.ts';

/** A repository of a project that takes work. */
export interface RegisteredRepository {
  id: number;
  name: string;
  project: string;
  origin: string;
}

/** Repositories of a forge that its credential can push to, by path, each with the project that has it. */
export async function listImportable(
  { db, forges }: { db: Queryable; forges: Forges },
  forge: string,
  filter: { owner?: string | undefined },
  signal?: AbortSignal,
): Promise<ImportableRepository[]> {
  const registered = await registeredAt(db, forge);
  const listed: ImportableRepository[] = [];
  for await (const repository of forges.list(forge, filter, signal)) {
    const project = registered.find(({ origin }) => isAt(origin, repository.path))?.project ?? null;
    listed.push({ ...repository, project });
  }
  return listed.sort((a, b) => a.path.localeCompare(b.path));
}

/** The repositories of a forge that projects have. */
export async function registeredAt(db: Queryable, forge: string): Promise<RegisteredRepository[]> {
  const { rows } = await db.query<RegisteredRepository>(
    `select r.id, r.name, p.name as project, r.origin from repository r join project p on p.id = r.project
      where r.forge = $1 and r.removed_at is null and p.archived_at is null order by p.id`,
    [forge],
  );
  return rows;
}

/** Whether an origin on a forge, by whatever protocol, is the repository at this path there. */
export function isAt(origin: string, path: string): boolean {
  const address = origin
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')
    .toLowerCase();
  const wanted = path.toLowerCase();
  return address.endsWith(`/${wanted}`) || address.endsWith(`:${wanted}`);
}
