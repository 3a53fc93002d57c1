// Changes a source against the version that was seen, so that of two people who do so at once the second is told. Used by the API.
import { AutocodeError } from '../../protocol/errors.ts';
import type { IntakeSource, SourcePatch } from '../../protocol/intake.ts';
import { transaction, type Database } from '../db/connect.ts';
import type { SecretManager } from '../secrets/secret-manager.ts';
import { readGiven } from './given.ts';
import { secretNameOf } from './source.ts';
import { getSource, openSource } from './sources.ts';

/** ERR_NOT_FOUND, ERR_CONFLICT where somebody has changed it meanwhile, ERR_INVALID_INPUT for what is not of its kind. */
export async function changeSource(
  { db, secrets }: { db: Database; secrets: SecretManager },
  name: string,
  { version, secret, ...patch }: SourcePatch,
): Promise<IntakeSource> {
  return await transaction(db, async (tx) => {
    await tx.query('select from intake_source where name = $1 for update', [name]);
    const seen = await getSource(tx, name);
    if (seen.version !== version) {
      throw new AutocodeError('ERR_CONFLICT', `Somebody has changed the source ${name} meanwhile.`, {
        remedy: 'Look at it as it is now, and change it again.',
      });
    }
    const { project = seen.project, trust = seen.trust, settings = seen.settings } = patch;
    const before = (await openSource(tx, name))!;
    const given = await readGiven(tx, { name, kind: seen.kind, project, settings });
    // Elsewhere nothing has been read yet: there it begins anew, and at once.
    const isElsewhere =
      before.kind.scope({ ...before.source, settings: given.settings }) !== before.kind.scope(before.source);
    await tx.query(
      `update intake_source set project = $2, trust = $3, settings = $4,
         cursor = case when $5 then null else cursor end, looked_at = case when $5 then null else looked_at end,
         trouble = case when $5 then null else trouble end
       where name = $1`,
      [name, given.project, JSON.stringify(trust), JSON.stringify(given.settings), isElsewhere],
    );
    if (secret !== undefined) await secrets.put(secretNameOf({ name }), secret);
    return await getSource(tx, name);
  });
}
