// What the database keeps of a project's `.autocode.yaml`: as it was last read, and which settings a person has set over it.
// Used when a task is created, and by repos/project-file/, which does the reading.
import type { FileReading } from '../../protocol/project-file.ts';
import type { FILE_SETTINGS } from '../../protocol/project.ts';
import type { Queryable } from '../db/connect.ts';

/** Settings of a project whose value alone does not tell whether somebody has set it. */
export const MARKED_SETTINGS = ['verify', 'reviewers', 'labels', 'draft'] as const;
export type MarkedSetting = (typeof MARKED_SETTINGS)[number];

export interface KnownFile {
  /** Null: the repository has none, or it has not been read yet. */
  file: FileReading | null;
  explicit: MarkedSetting[];
}

/** The file of a project's default branch, as it was last read. */
export async function knownFile(db: Queryable, project: number): Promise<KnownFile> {
  const { rows } = await db.query<KnownFile>('select file, explicit from project where id = $1', [project]);
  return rows[0]!;
}

/** Keeps what was read; a reading without file and problems is none. */
export async function keepFile(db: Queryable, project: number, reading: FileReading): Promise<void> {
  await db.query('update project set file = $2 where id = $1 and file is distinct from $2::jsonb', [
    project,
    reading.content === null && reading.problems.length === 0 ? null : JSON.stringify(reading),
  ]);
}

/** Takes back what a person has set, so that the file decides; verify commands stay until it names some. */
export async function letFileDecide(
  tx: Queryable,
  project: number,
  names: readonly (typeof FILE_SETTINGS)[number][],
): Promise<void> {
  await tx.query(
    `update project set agent = case when 'agent' <> all($2) then agent end,
       model = case when 'model' <> all($2) then model end,
       environment = case when 'environment' <> all($2) then environment end,
       limits = case when 'limits' <> all($2) then limits else '{}' end,
       explicit = array(select unnest(explicit) except select unnest($2)) where id = $1`,
    [project, names],
  );
}

/** Which of the marked settings an input names. */
export function markedIn(input: { [name in MarkedSetting]?: unknown }): MarkedSetting[] {
  return MARKED_SETTINGS.filter((name) => input[name] !== undefined);
}
