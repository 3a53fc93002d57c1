import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabase } from '../../test/support/database.ts';
import { forgetPeople } from './forget.ts';

test('old records, sessions that are over and links past their time go; the rest stays', async () => {
  await using db = await testDatabase();
  await db.pool.query(`
    insert into person (name, created_by) values ('ann', 'me'), ('bob', 'me');
    insert into audit_record (at, address, method, route, request)
      select now() - make_interval(days => age), '::1', 'POST', '/x', gen_random_uuid() from unnest(array[1, 40]) age;
    insert into session (person, hash, how, address, user_agent, expires_at, ended_at)
      values (1, 'a', 'password', '::1', '', now() + interval '1 day', null),
             (1, 'b', 'password', '::1', '', now() - interval '40 days', null),
             (1, 'c', 'password', '::1', '', now() + interval '1 day', now() - interval '40 days');
    insert into person_link (person, hash, created_by, expires_at)
      values (1, 'a', 'me', now() - interval '1 minute'), (2, 'b', 'me', now() + interval '1 hour');
    insert into oidc_attempt (hash, browser, nonce, verifier, return_to, expires_at)
      values ('a', 'b', 'n', 'v', '/', now() - interval '1 minute');`);
  assert.equal(await forgetPeople(db.pool, { auditDays: 30, sessionsDays: 30 }), 5);
  const { rows } = await db.pool.query(
    'select (select count(*) from audit_record) as records, (select count(*) from session) as sessions, (select count(*) from person_link) as links',
  );
  assert.deepEqual(rows, [{ records: 1, sessions: 1, links: 1 }]);
});
