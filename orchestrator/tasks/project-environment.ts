// The environment that a project names for its runs. Used by projects.ts.
import { HOST_ENVIRONMENT } from '../../protocol/environment.ts';
import type { Queryable } from '../db/connect.ts';
import { noSandbox } from '../environments/of-run.ts';
import { getEnvironment } from '../environments/store/store.ts';

/** Keeps it in the project's row; undefined: as it was. Refused for one that is not there, and without a sandbox. */
export async function keepEnvironment(
  tx: Queryable,
  project: number,
  environment: string | undefined,
): Promise<void> {
  if (environment !== undefined) {
    if (environment !== HOST_ENVIRONMENT) await getEnvironment(tx, environment);
    await tx.query('update project set environment = $2 where id = $1', [project, environment]);
  }
  const { rows } = await tx.query<{ environment: string }>(
    `select environment from project where id = $1 and isolation = 'directory' and environment <> $2`,
    [project, HOST_ENVIRONMENT],
  );
  if (rows[0] !== undefined) throw noSandbox(rows[0].environment);
}
