// Jira by webhook and by asking, in the ways of Cloud and of Data Center, against a stand-in of its API.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { Trust } from '../../../protocol/intake.ts';
import { jiraHeaders, startFakeJira, type FakeJira } from '../../../test/support/fake-jira.ts';
import { cancelTask } from '../../tasks/cancel.ts';
import { answerTasks } from '../answers.ts';
import { storeDelivery } from '../deliveries.ts';
import { takeHook } from '../hooks.ts';
import type { Source, SourceDeps } from '../source.ts';
import { addSource, openSource } from '../sources.ts';
import { intakeRig, type Rig } from '../testing.ts';
import { jira } from './jira.ts';
import type { JiraSettings } from './jira-settings.ts';

const SECRET = 'of the webhook';
const EDITIONS = ['cloud', 'data-center'] as const;

interface JiraRig extends Rig {
  jira: FakeJira;
  /** Sends a webhook as Jira does, and works on it. */
  hook(body: Buffer): Promise<void>;
  /** Asks Jira as the chore does, and works on what it said. */
  poll(): Promise<void>;
  opened(): Promise<Source<JiraSettings>>;
  deps: Rig['deps'] & SourceDeps;
}

async function jiraRig(
  edition: (typeof EDITIONS)[number],
  settings: object = {},
  options: object = {},
): Promise<JiraRig> {
  const fake = await startFakeJira(edition, options);
  const rig = await intakeRig();
  await rig.secrets.put('jira-token', fake.credential);
  await addSource(
    { db: rig.deps.db, secrets: rig.secrets },
    {
      name: 'tracker',
      kind: 'jira',
      project: 'shop',
      trust: Trust.parse({ actors: ['account-ann', 'ann'] }),
      settings: { url: `${fake.url}/`, edition, token: 'jira-token', statuses: ['Ready'], ...settings },
      secret: SECRET,
    },
    'me',
  );
  const secret = async (name: string) => (await rig.secrets.get(name))!.value;
  const log = { info: () => {}, warn: () => {} };
  const deps = { ...rig.deps, secret, log } as unknown as JiraRig['deps']; // Jira is no forge
  const opened = async () => (await openSource(deps.db, 'tracker'))!.source as Source<JiraSettings>;
  let cursor: unknown = null;
  return {
    ...rig,
    jira: fake,
    deps,
    opened,
    hook: async (body) => {
      const request = { headers: jiraHeaders(body, SECRET, randomUUID()), body, now: new Date() };
      await takeHook({ ...rig.deps, secrets: rig.secrets }, 'tracker', request);
      await rig.work();
    },
    poll: async () => {
      const polled = await jira.poll!.ask(await opened(), cursor, deps, new AbortController().signal);
      for (const each of polled.deliveries)
        await storeDelivery(deps.db, deps.sealer, 'tracker', { ...each, via: 'poll' });
      cursor = polled.cursor;
      await rig.work();
    },
    [Symbol.asyncDispose]: async () => {
      await fake[Symbol.asyncDispose]();
      await rig[Symbol.asyncDispose]();
    },
  };
}

for (const edition of EDITIONS) {
  test(`${edition}: an issue that gets the label is one task, by webhook and by asking alike`, async () => {
    await using rig = await jiraRig(edition);
    await rig.poll();
    const created = rig.jira.create('SHOP-1', 'bob', {
      summary: 'Till is slow',
      description: 'h2. Since today\n*always*',
    });
    const labelled = rig.jira.change('SHOP-1', 'ann', { labels: ['urgent', 'autocode'] });
    await rig.hook(created);
    await rig.hook(labelled);
    await rig.hook(labelled);
    await rig.poll();
    assert.deepEqual(await rig.verdicts(), ['created', 'duplicate', 'duplicate']);
    const [task, ...others] = await rig.tasks();
    assert.equal(others.length, 0);
    assert.equal(task!.title, 'SHOP-1: Till is slow');
    assert.match(
      task!.body,
      new RegExp(`^From the issue ${rig.jira.url}/browse/SHOP-1 by (account-)?ann\\.`),
    );
    assert.match(task!.body, /> Since today\n> always$/);
  });

  test(`${edition}: asking alone finds all that webhooks tell, whatever the clocks say`, async () => {
    await using rig = await jiraRig(edition, {}, { ahead: -3 * 60 * 60_000, pageMax: 2 });
    await rig.poll();
    for (const number of [1, 2, 3, 4, 5]) rig.jira.create(`SHOP-${number}`, 'ann', { labels: ['autocode'] });
    rig.jira.create('SHOP-6', 'ann');
    rig.jira.change('SHOP-6', 'ann', { status: 'Ready' });
    rig.jira.change('SHOP-6', 'ann', { status: 'In Progress' });
    rig.jira.create('SHOP-7', 'mallory', { labels: ['autocode'] });
    rig.jira.create('SHOP-8', 'ann');
    await rig.poll();
    const titles = (await rig.tasks()).map(({ title }) => title.slice(0, 6)).toSorted();
    assert.deepEqual(titles, ['SHOP-1', 'SHOP-2', 'SHOP-3', 'SHOP-4', 'SHOP-5', 'SHOP-6']);
    rig.jira.comment('SHOP-1', 'ann', 'please also the other till, @autocode');
    rig.jira.comment('SHOP-1', 'ann', 'nice weather');
    rig.jira.comment('SHOP-1', 'bot', 'Autocode, task 1: @autocode is at work');
    rig.jira.delete('SHOP-8');
    await rig.poll();
    await rig.poll();
    const { rows } = await rig.deps.db.query('select text from task_message');
    assert.equal(rows.length, 1);
    assert.match(rows[0].text, /> please also the other till, @autocode$/);
    assert.equal((await rig.tasks()).length, 6);
  });
}

test('an issue that was labelled long before the source was added starts nothing when it changes', async () => {
  await using rig = await jiraRig('cloud');
  rig.jira.create('SHOP-1', 'ann', { labels: ['autocode'] });
  rig.jira.change('SHOP-1', 'ann', { status: 'Ready' });
  const issue = rig.jira.issue('SHOP-1');
  issue.created = new Date(Date.now() - 400 * 24 * 60 * 60_000);
  issue.histories[0]!.created = new Date(Date.now() - 300 * 24 * 60 * 60_000);
  await rig.poll();
  rig.jira.comment('SHOP-1', 'ann', 'still there');
  await rig.poll();
  assert.deepEqual(await rig.verdicts(), []);
});

test('an issue that came to the status twice is two tasks once the first has ended, else one', async () => {
  await using rig = await jiraRig('cloud');
  rig.jira.create('SHOP-1', 'ann');
  await rig.hook(rig.jira.change('SHOP-1', 'ann', { status: 'Ready' }));
  await rig.hook(rig.jira.change('SHOP-1', 'ann', { status: 'To Do' }));
  await rig.hook(rig.jira.change('SHOP-1', 'ann', { status: 'Ready' }));
  assert.deepEqual(await rig.verdicts(), ['created', 'appended']);
  await cancelTask(rig.deps.db, (await rig.tasks())[0]!.id, 'me');
  await rig.hook(rig.jira.change('SHOP-1', 'ann', { status: 'To Do' }));
  await rig.hook(rig.jira.change('SHOP-1', 'ann', { status: 'Ready' }));
  assert.equal((await rig.tasks()).length, 2);
});

test('the project is that of the key, and who is not trusted starts nothing', async () => {
  await using rig = await jiraRig('data-center', { projects: { BANK: 'vault' } });
  await rig.hook(rig.jira.create('BANK-1', 'ann', { labels: ['autocode'] }));
  await rig.hook(rig.jira.create('SHOP-1', 'mallory', { labels: ['autocode'] }));
  const { rows } = await rig.deps.db.query('select verdict, reason from intake_item order by id');
  assert.match(rows[0].reason, /vault/);
  assert.match(rows[1].reason, /mallory is not among those/);
  assert.deepEqual(await rig.tasks(), []);
});

test('a webhook is believed by its signature alone', async () => {
  await using rig = await jiraRig('cloud');
  const body = rig.jira.create('SHOP-1', 'ann', { labels: ['autocode'] });
  const good = jiraHeaders(body, SECRET, 'one');
  const changed = Buffer.concat([body.subarray(0, -2), Buffer.from(' }')]);
  const signature = good['x-hub-signature']!;
  const cases: [string, Record<string, string>, Buffer][] = [
    ['another secret', jiraHeaders(body, 'other', 'one'), body],
    ['a byte changed', good, changed],
    ['no signature', { 'x-atlassian-webhook-identifier': 'one' }, body],
    ['an empty one', { ...good, 'x-hub-signature': '' }, body],
    ['another method', { ...good, 'x-hub-signature': signature.replace('sha256', 'sha1') }, body],
    ['two signatures', { ...good, 'x-hub-signature': `${signature}, ${signature}` }, body],
    ['cut short', { ...good, 'x-hub-signature': signature.slice(0, -2) }, body],
    ['the secret itself', { ...good, 'x-hub-signature': `sha256=${SECRET}` }, body],
  ];
  const deps = { ...rig.deps, secrets: rig.secrets };
  for (const [what, headers, bytes] of cases)
    await assert.rejects(
      takeHook(deps, 'tracker', { headers, body: bytes, now: new Date() }),
      { code: 'ERR_UNAUTHENTICATED' },
      what,
    );
  const request = { headers: good, body, now: new Date() };
  assert.equal((await takeHook(deps, 'tracker', request)).repeated, false);
  assert.equal((await takeHook(deps, 'tracker', request)).repeated, true);
  await rig.secrets.delete('intake-tracker');
  await assert.rejects(
    takeHook(deps, 'tracker', request),
    { code: 'ERR_UNAUTHENTICATED' },
    'without a secret',
  );
});

test('what Jira sends beside is taken, and what it does not send is told apart', async () => {
  await using rig = await jiraRig('data-center');
  const source = await rig.opened();
  const parse = (document: unknown) =>
    jira.parse(source, { delivery: 'd', event: 'webhook', body: Buffer.from(JSON.stringify(document)) });
  const comment = {
    id: '7',
    author: { name: 'ann' },
    body: '@autocode go',
    created: '2026-01-12T16:30:42.236+0300',
  };
  const issue = { id: 10_001, key: 'SHOP-1', fields: { summary: 'x' } };
  // Data Center tells of a comment without its issue, and as an update of the issue.
  assert.deepEqual(parse({ timestamp: 1, webhookEvent: 'comment_created', comment }), []);
  const [item] = parse({
    timestamp: 1,
    webhookEvent: 'jira:issue_updated',
    issue_event_type_name: 'issue_commented',
    issue,
    comment,
  });
  assert.deepEqual(
    [item?.key, item?.subject, item?.at?.toISOString()],
    ['comment|7', 'issue|10001', '2026-01-12T13:30:42.236Z'],
  );
  assert.deepEqual(parse({ timestamp: 1, webhookEvent: 'jira:issue_deleted', issue }), []);
  const changelog = {
    id: 1,
    items: [
      { field: 'labels', fromString: null },
      { field: 'status', toString: null },
    ] as object[],
  };
  assert.deepEqual(
    parse({ timestamp: '2019-1-30 15:51:34,870', webhookEvent: 'jira:issue_updated', issue, changelog }),
    [],
  );
  assert.deepEqual(parse({ webhookEvent: 'sprint_started', sprint: {} }), []);
  assert.throws(() => parse([]), /no JSON object/);
  assert.throws(() => parse({}), /webhook is not as it should be/);
  assert.throws(() => parse({ webhookEvent: 'x', issue: { ...issue, key: '../SHOP' } }), /webhook is not/);
});

test('a test of the source says who we are, or what is wrong', async () => {
  await using rig = await jiraRig('cloud');
  const look = async () => await jira.test!(await rig.opened(), rig.deps, new AbortController().signal);
  assert.deepEqual(await look(), [
    { name: 'Jira', ok: true, detail: 'we are bot; 0 issues changed within the hour' },
  ]);
  await rig.secrets.put('jira-token', 'wrong');
  const [check] = await look();
  assert.equal(check?.ok, false);
  assert.match(check?.detail ?? '', /Jira of the source tracker does not accept the token/);
});

test('what became of the task stands in one comment, which changes, and each pull request is linked', async () => {
  await using rig = await jiraRig('cloud');
  const { db } = rig.deps;
  const answer = async () => await answerTasks(rig.deps, new AbortController().signal);
  await rig.hook(rig.jira.create('SHOP-1', 'ann', { labels: ['autocode'] }));
  const { comments, links } = rig.jira.issue('SHOP-1');
  const [task] = await rig.tasks();
  await answer();
  await answer();
  assert.deepEqual(
    comments.map(({ body }) => body),
    [`Autocode, task ${task!.id}: it waits for a worker.`],
  );
  await db.query(
    `update task set state = 'completed', reason = 'All of it [~ann] {color}', updated_at = now()`,
  );
  await db.query(
    `with run as (insert into run (id, task, fence, state, worker, claim_id, agent, model, isolation, deadline)
       values ('1-1', $1, 1, 'succeeded', 'w', gen_random_uuid(), 'command', '', 'bubblewrap', now()) returning id)
     insert into change (task, repository, run, forge, branch, base_branch, base_commit, head_commit, title, body, state, url)
     select $1, r.id, run.id, 'forge', 'b', 'main', 'c', 'c', 'Faster till', '', 'open', 'https://git.example/1' from run, repository r`,
    [task!.id],
  );
  await answer();
  assert.equal(comments.length, 1);
  assert.equal(
    comments[0]!.body,
    `Autocode, task ${task!.id}: done. All of it \\[\\~ann\\] \\{color\\}\nPull request: Faster till, open: [https://git.example/1]`,
  );
  assert.deepEqual([...links.values()], [{ url: 'https://git.example/1', title: 'Faster till' }]);
  // A crash between the comment and its note.
  await db.query('delete from intake_answer');
  await db.query(`update change set state = 'merged', updated_at = now()`);
  await answer();
  assert.equal(comments.length, 1);
  assert.match(comments[0]!.body, /Faster till, merged/);
  comments.pop();
  await db.query(`update change set state = 'closed', updated_at = now()`);
  await answer();
  assert.match(comments[0]!.body, /Faster till, closed/);
});

test('an issue that was deleted is given up, a Jira that is away is answered later', async () => {
  await using rig = await jiraRig('data-center');
  const answer = async () => await answerTasks(rig.deps, new AbortController().signal);
  const answers = async () =>
    (await rig.deps.db.query('select told is not null as told, trouble from intake_answer order by task'))
      .rows;
  await rig.hook(rig.jira.create('SHOP-1', 'ann', { labels: ['autocode'] }));
  rig.jira.delete('SHOP-1');
  await answer();
  const [gone] = await answers();
  assert.equal(gone.told, true);
  assert.match(gone.trouble, /Not Found/);
  await rig.hook(rig.jira.create('SHOP-2', 'ann', { labels: ['autocode'] }));
  await rig.secrets.put('jira-token', 'revoked');
  await answer();
  assert.match((await answers())[1].trouble, /does not accept the token/);
  await rig.secrets.put('jira-token', rig.jira.credential);
  const asked = rig.jira.requests.length;
  await answer();
  assert.equal(rig.jira.requests.length, asked, 'not at once');
  await rig.deps.db.query(`update intake_answer set retry_at = now() where retry_at is not null`);
  await answer();
  assert.deepEqual((await answers())[1], { told: true, trouble: null });
  assert.equal(rig.jira.issue('SHOP-2').comments.length, 1);
});
