// The key that tests of models use the gateway with. There is one, whose text each test replaces and revokes at its end.
import { randomBytes } from 'node:crypto';
import { createKey } from '../../access/keys.ts';
import { hashOf } from '../../access/tokens.ts';
import type { Queryable } from '../../db/connect.ts';

/** Whose calls they are, in budgets and reports. */
const NAME = 'autocode model test';

/** A key for one model, good for an hour; `end` revokes it. */
export async function testKey(db: Queryable, model: string): Promise<{ key: string; end(): Promise<void> }> {
  const key = `ac_gateway_${randomBytes(32).toString('base64url')}`;
  const { rowCount } = await db.query(
    `update token set hash = $2, models = $3, external = true, revoked_at = null, expires_at = now() + interval '1 hour'
     where id = (select id from token where name = $1 and kind = 'service' and project is null order by id limit 1)`,
    [NAME, hashOf(key), JSON.stringify([model])],
  );
  if (rowCount === 0) {
    await createKey(db, { name: NAME, kind: 'service', models: [model], external: true });
    return await testKey(db, model);
  }
  const end = async () =>
    void (await db.query(`update token set revoked_at = now() where hash = $1`, [hashOf(key)]));
  return { key, end };
}
