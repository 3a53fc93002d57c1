// Whether a source is set up well: its secret is there, its project takes work, and what its own kind can find out. Used by
// the API; starts no work.
import type { SourceTest } from '../../protocol/intake.ts';
import type { Queryable } from '../db/connect.ts';
import { requireSecret, type SecretManager } from '../secrets/secret-manager.ts';
import { projectForWork } from '../tasks/projects.ts';
import { secretNameOf, type SourceDeps } from './source.ts';
import { getSource, openSource } from './sources.ts';

/** Looks at a source; ERR_NOT_FOUND. */
export async function testSource(
  deps: { db: Queryable; secrets: SecretManager } & Pick<SourceDeps, 'log' | 'forges'>,
  name: string,
  signal: AbortSignal,
): Promise<SourceTest> {
  const { db, secrets } = deps;
  await getSource(db, name);
  const { source, kind } = (await openSource(db, name))!;
  const secret = async (wanted: string) => await requireSecret(secrets, wanted);
  const checks: SourceTest['checks'] = [];
  const look = async (what: string, detail: string, check: () => Promise<unknown>) => {
    const problem = await check().then(
      () => undefined,
      (error: unknown) => (error as Error).message,
    );
    checks.push({ name: what, ok: problem === undefined, detail: problem ?? detail });
  };
  const { project } = source;
  if (kind.verify !== undefined)
    await look('secret', 'it is there', async () => await secret(secretNameOf(source)));
  if (project !== null)
    await look('project', `${project} takes work`, async () => await projectForWork(db, project));
  if (kind.test !== undefined) checks.push(...(await kind.test(source, { ...deps, secret }, signal)));
  return { ok: checks.every(({ ok }) => ok), checks };
}
