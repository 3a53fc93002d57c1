// Earlier versions of the egress policy, with what each changed. Used by the API.
import type { EgressPolicyVersion } from '../../../protocol/egress.ts';
import type { Queryable } from '../../db/connect.ts';
import type { Presets } from './parse.ts';
import { printRule } from './rule.ts';
import { projectOf, rulesOf } from './store.ts';

/** Of the installation (null) or a project, the newest first; `before`: the last of the page before. */
export async function policyVersions(
  db: Queryable,
  presets: Presets,
  nameOrId: string | null,
  { before, limit }: { before?: number | undefined; limit: number },
): Promise<EgressPolicyVersion[]> {
  const { id } = await projectOf(db, nameOrId);
  const { rows } = await db.query<{ version: number; text: string; author: string; at: Date }>(
    `select version::int, text, author, at from egress_policy
     where project is not distinct from $1 and ($2::bigint is null or version < $2) order by version desc limit $3`,
    [id, before ?? null, limit + 1], // one more, to tell what the last changed
  );
  return rows.slice(0, limit).map(({ at, ...version }, index) => {
    const now = printed(version.text, presets);
    const old = printed(rows[index + 1]?.text ?? '', presets);
    return {
      ...version,
      at: at.toISOString(),
      added: [...now.difference(old)],
      removed: [...old.difference(now)],
    };
  });
}

function printed(text: string, presets: Presets): Set<string> {
  return new Set(rulesOf(text, null, presets).map(printRule));
}
