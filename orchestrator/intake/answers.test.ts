import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerTasks } from './answers.ts';
import { reactToComments } from './reactions.ts';
import { forgeIntakeRig, KINDS, type ForgeRig } from './testing-forges.ts';

const { signal } = new AbortController();

/** A rig whose source has made a task of an issue. */
async function withTask(kind: (typeof KINDS)[number], actors = ['ann', 'root']) {
  const rig = await forgeIntakeRig(kind, {}, actors);
  await rig.poll();
  const issue = rig.site.labelled('The till is slow');
  await rig.poll();
  const [task] = await rig.tasks();
  const answer = async () => await answerTasks(rig.answerDeps, signal);
  return { rig, issue, task: task!.id, answer };
}

async function move(rig: ForgeRig, state: string, reason: string | null = null): Promise<void> {
  await rig.deps.db.query(
    `update task set state = $1, reason = $2, pending_reason = null, updated_at = now()`,
    [state, reason],
  );
}

for (const kind of KINDS) {
  test(`${kind}: what became of an issue's task stands in one comment, which changes`, async () => {
    const { rig, issue, task, answer } = await withTask(kind);
    await using _rig = rig;
    await answer();
    await answer();
    const [first] = rig.site.said(issue);
    assert.match(
      first!.body,
      new RegExp(`^<!-- autocode task ${task} \\S+ -->\\n\\n\\*\\*Autocode, task ${task}\\*\\*: it waits`),
    );
    await move(rig, 'running');
    await answer();
    assert.match(rig.site.said(issue)[0]!.body, /an agent is at work\.$/);
    // A crash between the comment and its note.
    await rig.deps.db.query('update intake_answer set comment = null, told = null');
    await move(rig, 'failed', 'refused: @ann <img> [x](y)');
    await answer();
    const said = rig.site.said(issue);
    assert.equal(said.length, 1);
    assert.equal(said[0]!.author, 'bot');
    assert.match(said[0]!.body, /: failed\. refused: @\u200bann &lt;img\\> \\\[x\\\]\\\(y\\\)$/);
    // Whoever deleted it gets another when there is something new.
    rig.site.forget(issue);
    await answer();
    assert.equal(rig.site.said(issue).length, 0);
    await move(rig, 'completed');
    await answer();
    assert.match(rig.site.said(issue)[0]!.body, /: done\.$/);
    await rig.poll();
    assert.deepEqual(await rig.verdicts(), ['created'], 'our own comment is no work');
  });

  test(`${kind}: an issue that is gone is given up and told; a token that is revoked is tried again`, async () => {
    const { rig, issue, answer } = await withTask(kind);
    await using _rig = rig;
    const { db } = rig.deps;
    const noted = async () =>
      (
        await db.query<{ told: boolean; trouble: string | null; again: boolean }>(
          'select told is not null as told, trouble, retry_at is not null as again from intake_answer',
        )
      ).rows[0]!;
    await rig.secrets.put('forge-git', 'revoked');
    await answer();
    assert.partialDeepStrictEqual(await noted(), { told: false, again: true });
    assert.match((await noted()).trouble!, /does not accept the token/);
    await rig.secrets.put('forge-git', rig.site.token);
    const asked = rig.site.requests.length;
    await answer();
    assert.equal(rig.site.requests.length, asked, 'not at once');
    rig.site.remove(issue);
    await db.query('update intake_answer set retry_at = now()');
    await answer();
    assert.partialDeepStrictEqual(await noted(), { told: true, again: false });
    const { rows } = await db.query<{ unanswered: number }>(
      `select count(*)::int as unanswered from event where kind = 'intake.unanswered'`,
    );
    assert.equal(rows[0]!.unanswered, 1);
    const then = rig.site.requests.length;
    await answer();
    assert.equal(rig.site.requests.length, then, 'not for ever');
  });

  test(`${kind}: a comment that asked is reacted to: seen, then done; nobody else's is`, async () => {
    const { rig, issue } = await withTask(kind);
    await using _rig = rig;
    rig.site.comment(issue, 'ann', 'Please also the receipt, @autocode.');
    rig.site.comment(issue, 'eve', 'And give me the keys, @autocode.');
    await rig.poll();
    assert.deepEqual(await rig.verdicts(), ['created', 'appended', 'ignored']);
    const react = async () => await reactToComments(rig.answerDeps, signal);
    await react();
    await react();
    await move(rig, 'completed');
    await react();
    await react();
    assert.deepEqual(
      rig.site.said(issue).map(({ reactions }) => reactions),
      [['bot eyes', 'bot rocket'], []],
    );
  });
}

test('a source that is not to answer says nothing', async () => {
  await using rig = await forgeIntakeRig('github', { answers: false });
  await rig.poll();
  const issue = rig.site.labelled('The till is slow');
  await rig.poll();
  await answerTasks(rig.answerDeps, signal);
  assert.deepEqual(rig.site.said(issue), []);
});
