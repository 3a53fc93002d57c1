import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { storeDelivery } from './deliveries.ts';
import { listSources } from './sources.ts';
import { forgeIntakeRig, KINDS } from './testing-forges.ts';

const ACTORS = ['ann', 'root'];

for (const kind of KINDS) {
  test(`${kind}: what is asked for and what its webhook tells is one`, async () => {
    await using rig = await forgeIntakeRig(kind, {}, ACTORS);
    rig.site.labelled('Another');
    await rig.poll();
    const issue = rig.site.labelled('The till is slow');
    rig.site.comment(issue, 'ann', 'At noon, @autocode.');
    await rig.poll();
    const tasks = await rig.tasks();
    assert.ok(tasks.some(({ title }) => title === 'The till is slow'));
    const before = await rig.verdicts();
    for (const [event, body] of rig.site.hooks(issue)) {
      const raw = {
        delivery: randomUUID(),
        event,
        body: Buffer.from(JSON.stringify(body)),
        via: 'webhook' as const,
      };
      await storeDelivery(rig.deps.db, rig.deps.sealer, 'work', raw);
    }
    await rig.work();
    assert.deepEqual((await rig.verdicts()).slice(before.length), ['duplicate', 'duplicate']);
    assert.equal((await rig.tasks()).length, tasks.length);
  });

  test(`${kind}: pages that could not be asked for to the end are asked for again, and nothing is double`, async () => {
    await using rig = await forgeIntakeRig(kind, {}, ACTORS);
    await rig.poll();
    rig.site.pageMax(1);
    const titles = ['one', 'two', 'three'];
    for (const title of titles)
      rig.site.comment(rig.site.labelled(title), 'ann', `More of ${title}, @autocode.`);
    rig.site.refusePage();
    await rig.poll();
    const [source] = await listSources(rig.deps.db);
    assert.match(source!.trouble!, /acme\/shop\.git: .*may not GET/);
    assert.deepEqual(await rig.verdicts(), []);
    await rig.poll();
    assert.equal((await listSources(rig.deps.db))[0]!.trouble, null);
    assert.deepEqual((await rig.tasks()).map(({ title }) => title).toSorted(), titles.toSorted());
    const verdicts = (await rig.verdicts()).toSorted();
    assert.deepEqual(verdicts, ['appended', 'appended', 'appended', 'created', 'created', 'created']);
    await rig.poll();
    assert.deepEqual((await rig.verdicts()).toSorted(), verdicts);
  });

  test(`${kind}: while nothing comes the same is asked for, which is not sent again`, async () => {
    await using rig = await forgeIntakeRig(kind);
    await rig.poll();
    await rig.poll();
    const [asked, unchanged] = [rig.site.requests.length, rig.site.unchanged()];
    await rig.poll();
    assert.equal(rig.site.unchanged() - unchanged, rig.site.requests.length - asked);
  });

  test(`${kind}: a repository that was renamed is followed; an issue that was deleted is nothing`, async () => {
    await using rig = await forgeIntakeRig(kind, {}, ACTORS);
    await rig.poll();
    rig.site.rename('acme/store');
    rig.site.remove(rig.site.labelled('By mistake'));
    const issue = rig.site.labelled('The till is slow');
    await rig.poll();
    assert.deepEqual(
      (await rig.tasks()).map(({ title }) => title),
      ['The till is slow'],
    );
    rig.site.comment(issue, 'ann', 'At noon, @autocode.');
    await rig.poll();
    assert.deepEqual(await rig.verdicts(), ['created', 'appended']);
    assert.equal((await listSources(rig.deps.db))[0]!.trouble, null);
  });
}
