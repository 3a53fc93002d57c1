import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forge } from './sources/forge.ts';
import { openSource } from './sources.ts';
import { keepTeams } from './teams.ts';
import { forgeIntakeRig, KINDS } from './testing-forges.ts';

const { signal } = new AbortController();

for (const kind of KINDS) {
  test(`${kind}: whoever is in a team that is named may start work, by the forge's word of the last minutes`, async () => {
    await using rig = await forgeIntakeRig(kind, {}, ['acme/core', 'root']);
    const { db } = rig.deps;
    const keep = async () => await keepTeams(rig.answerDeps, signal);
    rig.site.team('acme/core', ['Ann']);
    await rig.poll();
    const issue = rig.site.labelled('The till is slow');
    const say = async () => {
      rig.site.comment(issue, 'ann', 'At noon, @autocode.');
      await rig.poll();
      return (await rig.verdicts()).at(-1);
    };
    assert.equal(await say(), 'ignored', 'nobody was asked yet');
    await keep();
    assert.equal(await say(), 'appended');
    rig.site.team('acme/core', []);
    await keep();
    assert.equal(await say(), 'appended', 'kept for some minutes');
    await db.query(`update intake_team set looked_at = now() - interval '3 minutes'`);
    await keep();
    assert.equal(await say(), 'ignored', 'no more in it');
    rig.site.team('acme/core', ['ann']);
    await rig.secrets.put('forge-git', 'revoked');
    await db.query(
      `update intake_team set members = '{ann}', told_at = now() - interval '16 minutes', looked_at = now() - interval '3 minutes'`,
    );
    await keep();
    await rig.secrets.put('forge-git', rig.site.token);
    assert.equal(await say(), 'ignored', 'not known any more');
    const { rows } = await db.query<{ reason: string }>(
      'select reason from intake_item order by id desc limit 1',
    );
    assert.match(rows[0]!.reason, /who is in acme\/core is not known now/);
  });

  test(`${kind}: a test of the source tells which teams are there`, async () => {
    await using rig = await forgeIntakeRig(kind, {}, ['acme/core', 'acme/gone']);
    rig.site.team('acme/core', ['ann', 'root']);
    const { source } = (await openSource(rig.deps.db, 'work'))!;
    const checks = await forge.test!(
      source as Parameters<NonNullable<typeof forge.test>>[0],
      rig.answerDeps,
      signal,
    );
    assert.partialDeepStrictEqual(checks, [
      { name: 'forge', ok: true },
      { name: 'team acme/core', ok: true, detail: '2 members' },
      { name: 'team acme/gone', ok: false },
    ]);
  });
}
