// Work that finds its way in from a real Gitea, by its webhooks and by asking it: an issue that is labelled becomes a pull request,
// a review of it a second run on the same branch, and it is merged.
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { IntakeDelivery, IntakeItem } from '../../protocol/intake.ts';
import type { Task } from '../../protocol/task.ts';
import { startGitea, type Gitea } from '../support/gitea.ts';
import { eventually, startAppliance, type Appliance } from './appliance.ts';

const PATIENCE_MS = 180_000;
const SECRET = 'hook-secret';
/** What the first run begins the second goes on with. */
const AGENT = ['sh', '-c', 'if test -f answer; then echo done >> notes; else echo 42 > answer; fi'];

let gitea: Gitea;
let appliance: Appliance;
before(async () => {
  gitea = await startGitea();
  appliance = await startAppliance();
  await addProject('hooked');
  await addProject('polled');
});
after(async () => {
  await appliance?.[Symbol.asyncDispose]();
  await gitea?.[Symbol.asyncDispose]();
});

async function addProject(name: string): Promise<void> {
  const url = await gitea.repository(name, { check: 'test "$(cat answer)" = 42\n' });
  const [token, secret] = [`${gitea.botToken}\n`, `${SECRET}\n`].map((text, index) => {
    const file = path.join(appliance.directory, `given-${index}`);
    writeFileSync(file, text);
    return file;
  }) as [string, string];
  const files = ['--forge-token-file', token, '--forge-webhook-secret-file', secret];
  const settings = ['--trusted', '--agent', 'command', '--agent-command', JSON.stringify(AGENT)];
  await appliance.autocode('project', 'add', url, ...settings, ...files, '--verify', 'test=sh ./check');
  await appliance.api('PATCH', `/projects/${name}`, { isolation: 'directory' });
}

/** An issue, labelled by its second step as a person does; gives its number. */
async function labelledIssue(name: string): Promise<number> {
  const [label] = [
    await gitea.call('POST', `/repos/acme/${name}/labels`, { name: 'autocode', color: '#8a8f98' }),
  ];
  const title = 'The answer is missing';
  const { number } = await gitea.call('POST', `/repos/acme/${name}/issues`, {
    title,
    body: 'It is to be\n42.',
  });
  await gitea.call('POST', `/repos/acme/${name}/issues/${number}/labels`, { labels: [label.id] });
  return number;
}

function daemonUrl(): string {
  const file = readFileSync(path.join(appliance.dataDir, 'run/daemon.json'), 'utf8');
  return (JSON.parse(file) as { url: string }).url;
}

const items = async (source: string): Promise<IntakeItem[]> =>
  (await appliance.api<IntakeDelivery[]>('GET', `/intake/deliveries?source=${source}`)).flatMap(
    (each) => each.items,
  );

/** The task of a project once it is completed after so many runs. */
async function completed(project: string, attempts: number): Promise<Task> {
  return await eventually(
    async () => {
      const [task] = await appliance.api<Task[]>('GET', `/tasks?project=${project}`);
      assert.ok(!['failed', 'cancelled'].includes(task?.state ?? ''), task?.reason ?? '');
      return task?.state === 'completed' && task.attempt === attempts ? task : undefined;
    },
    `a task of ${project} to be completed by its run ${attempts}`,
    PATIENCE_MS,
  ).catch(async (cause: unknown) => {
    const sources = await appliance.api<object[]>('GET', '/intake/sources');
    throw new Error(JSON.stringify([sources, await items(project)]), { cause });
  });
}

/** `told` waits for what shall have been told before the merge ends it. */
async function fromIssueToMerge(name: string, told = async () => {}): Promise<void> {
  const issue = await labelledIssue(name);
  const task = await completed(name, 1);
  assert.equal(task.source?.number, issue);
  assert.match(task.body, /> It is to be\n> 42\.$/);
  const pulls = async () => await gitea.call('GET', `/repos/acme/${name}/pulls?state=all`);
  await answered(name, issue, new RegExp(`task ${task.id}\\*\\*: done\\.[^]*/acme/${name}/pulls/`));
  const [first] = await pulls();
  const statuses = async () =>
    await gitea.call('GET', `/repos/acme/${name}/commits/${first.head.sha}/statuses`);
  const isDone = ({ context, status }: Record<string, string>) =>
    context === 'autocode/task' && status === 'success';
  await eventually(
    async () => ((await statuses()).some(isDone) ? true : undefined),
    `the commit of ${name} to have the state of its task`,
    PATIENCE_MS,
  );
  const review = { event: 'REQUEST_CHANGES', body: 'Please also say that it is done.' };
  await gitea.call('POST', `/repos/acme/${name}/pulls/${first.number}/reviews`, review);
  const again = await completed(name, 2);
  assert.equal(again.id, task.id);
  const messages = await appliance.api<{ text: string }[]>('GET', `/tasks/${task.id}/messages`);
  assert.match(messages[0]!.text, /a review that asks for changes[^>]*> Please also say that it is done\.$/);
  const second = await pulls();
  assert.equal(second.length, 1, 'one pull request');
  assert.notEqual(second[0].head.sha, first.head.sha);
  await told();
  const [change] = await appliance.changes(name);
  await appliance.autocode('change', 'merge', String(change!.id));
  const notes = await gitea.call('GET', `/repos/acme/${name}/contents/notes`);
  assert.equal(Buffer.from(notes.content, 'base64').toString(), 'done\n');
}

/** Waits until the one comment of ours below an issue says so. */
async function answered(name: string, issue: number, text: RegExp): Promise<void> {
  const comments = async () => await gitea.call('GET', `/repos/acme/${name}/issues/${issue}/comments`);
  await eventually(
    async () => (text.test((await comments())[0]?.body ?? '') ? true : undefined),
    `the issue of ${name} to be answered with ${text}`,
    PATIENCE_MS,
  );
  assert.equal((await comments()).length, 1, 'one comment');
}

describe('intake from a forge', { concurrency: true }, () => {
  test('by webhook and by asking at once: one task, a second run on its branch, a merge', async () => {
    const [forge] = await appliance.api<{ name: string }[]>('GET', '/forges');
    await appliance.api('POST', '/intake/sources', {
      name: 'hooked',
      kind: 'forge',
      settings: { forge: forge!.name, repositories: ['acme/hooked'], pollSeconds: 2 },
      trust: { actors: ['root0'] },
    });
    await gitea.call('POST', '/repos/acme/hooked/hooks', {
      type: 'gitea',
      active: true,
      config: {
        url: `${daemonUrl()}/api/v1/webhooks/gitea/${forge!.name}`,
        content_type: 'json',
        secret: SECRET,
      },
      events: [
        'issues',
        'issue_label',
        'issue_comment',
        'pull_request',
        'pull_request_review',
        'pull_request_review_rejected',
      ],
    });
    const verdicts = async () => (await items('hooked')).map(({ verdict }) => verdict);
    const bothTold = async () =>
      (await verdicts()).filter((verdict) => verdict === 'duplicate').length >= 2 || undefined;
    await fromIssueToMerge('hooked', async () => {
      await eventually(bothTold, 'both ways to have told both', PATIENCE_MS);
    });
    const others = (await verdicts()).filter((verdict) => verdict !== 'duplicate');
    assert.deepEqual(others.toSorted(), ['created', 'reopened']);
  });

  test('by asking alone', async () => {
    const [forge] = await appliance.api<{ name: string }[]>('GET', '/forges');
    const settings = path.join(appliance.directory, 'polled.yaml');
    writeFileSync(settings, `forge: ${forge!.name}\nrepositories: [acme/polled]\npollSeconds: 2\n`);
    const add = ['intake', 'source', 'add', 'polled', '--kind', 'forge', '--actor', 'root0'];
    await appliance.autocode(...add, '--settings', settings);
    assert.match(await appliance.autocode('intake', 'source', 'test', 'polled'), /^ok +forge/m);
    await fromIssueToMerge('polled');
    assert.match(await appliance.autocode('intake', 'log', '--source', 'polled'), /reopened/);
  });
});

test('a daemon that is killed between deliveries and their work loses none and does none twice', async () => {
  await appliance.project('crashed', { agent: 'true' });
  await appliance.api('PUT', '/drain', {});
  const key = randomBytes(32);
  await appliance.api('POST', '/intake/sources', {
    name: 'crashed',
    kind: 'webhook',
    project: 'crashed',
    secret: `whsec_${key.toString('base64')}`,
    settings: { key: '{/title}' },
  });
  // As a system does that sends webhooks: again, under the same name, until it is answered.
  const send = async (title: string) =>
    await eventually(
      async () => {
        const body = JSON.stringify({ title });
        const timestamp = String(Math.floor(Date.now() / 1000));
        const signature = createHmac('sha256', key).update(`${title}.${timestamp}.${body}`).digest('base64');
        const headers = {
          'webhook-id': title,
          'webhook-timestamp': timestamp,
          'webhook-signature': `v1,${signature}`,
        };
        const url = `${daemonUrl()}/api/v1/intake/hooks/crashed`;
        const answer = await fetch(url, { method: 'POST', headers, body }).catch(() => undefined);
        return answer?.status === 202 ? true : undefined;
      },
      `${title} to be taken`,
      PATIENCE_MS,
    );
  const titles = Array.from({ length: 12 }, (_, index) => `thing ${index}`);
  for (const title of titles.slice(0, 4)) await send(title);
  const rest = Promise.all(titles.slice(4).map(send));
  process.kill(appliance.daemonPid(), 'SIGKILL');
  await appliance.up();
  await rest;
  const tasks = await eventually(
    async () => {
      const { waiting } = await appliance.api<{ waiting: number }>('GET', '/intake/sources/crashed');
      return waiting === 0 ? await appliance.api<Task[]>('GET', '/tasks?project=crashed') : undefined;
    },
    'all deliveries to be worked on',
    PATIENCE_MS,
  );
  assert.deepEqual(tasks.map(({ title }) => title).toSorted(), titles.toSorted());
});
