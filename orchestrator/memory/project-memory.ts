// The notes about a project's repositories as people see and clear them. Used by the API.
import { AutocodeError } from '../../protocol/errors.ts';
import type { Memory, MemoryVersion } from '../../protocol/memory.ts';
import type { Project } from '../../protocol/project.ts';
import type { Queryable } from '../db/connect.ts';
import { withinTransaction } from '../db/within-transaction.ts';
import { emit } from '../events/outbox.ts';
import { getProject } from '../tasks/projects.ts';
import { lockProject } from '../tasks/queue.ts';
import { repositoryNamed } from '../tasks/repositories.ts';

type Row = Omit<Memory, 'at'> & { at: Date };

const SELECT = `select m.version, p.name as repository, m.run, m.cleared_by as "clearedBy",
    jsonb_array_length(m.files)::int as count, m.bytes, m.at, m.files
  from kept_memory m join repository p on p.id = m.repository`;

/** The notes as the next run is given them, or those of one version: one entry a repository that has any. */
export async function readMemory(
  db: Queryable,
  project: string,
  { repository, version }: { repository?: string | undefined; version?: number | undefined },
): Promise<Memory[]> {
  const ids = idsOf(await getProject(db, project), repository);
  const { rows } = await db.query<Row>(
    version === undefined
      ? `select * from (select distinct on (m.repository) * from (${SELECT} where m.repository = any($1)) m
           order by m.repository, version desc) newest order by repository`
      : `${SELECT} where m.repository = any($1) and m.version = $2`,
    version === undefined ? [ids] : [ids, version],
  );
  if (version !== undefined && rows.length === 0)
    throw new AutocodeError('ERR_NOT_FOUND', `Project ${project} has no version ${version} of its notes.`, {
      remedy: `See those that there are: \`autocode project memory log ${project}\`.`,
    });
  return rows.map(shown);
}

/** The versions that there are, newest first, without their text. */
export async function listMemory(
  db: Queryable,
  project: string,
  repository?: string,
): Promise<MemoryVersion[]> {
  const ids = idsOf(await getProject(db, project), repository);
  const { rows } = await db.query<Row>(`${SELECT} where m.repository = any($1) order by m.version desc`, [
    ids,
  ]);
  return rows.map((row) => {
    const { files: _, ...version } = shown(row);
    return version;
  });
}

/** Forgets the notes, all their versions too. A run at work that was given them leaves none. Gives the repositories' names. */
export async function clearMemory(
  db: Queryable,
  project: string,
  actor: string,
  repository?: string,
): Promise<string[]> {
  return await withinTransaction(db, async (tx) => {
    const found = await getProject(tx, project);
    await lockProject(tx, found.id);
    const ids = idsOf(found, repository);
    await tx.query('delete from memory where repository = any($1)', [ids]);
    await tx.query(
      `insert into memory (repository, cleared_by, files, bytes) select id, $2, '[]', 0 from unnest($1::bigint[]) id`,
      [ids, actor],
    );
    await emit(tx, { kind: 'project.changed', project: found.id, data: { changed: ['memory'] } });
    return found.repositories.filter(({ id }) => ids.includes(id)).map(({ name }) => name);
  });
}

function idsOf(project: Project, repository: string | undefined): number[] {
  return repository === undefined
    ? project.repositories.map(({ id }) => id)
    : [repositoryNamed(project, repository).id];
}

function shown({ at, ...row }: Row): Memory {
  return { ...row, at: at.toISOString() };
}
