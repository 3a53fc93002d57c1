// A task and its change in a real browser, against a real daemon: from what was asked to what is merged, with a person's words between.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { Change } from '../../protocol/change.ts';
import type { TaskMessage } from '../../protocol/message.ts';
import type { Task } from '../../protocol/task.ts';
import { eventually, startAppliance, type Appliance } from '../e2e/appliance.ts';
import { assertSound, NARROW, openBrowser, picture, signedIn } from '../support/browser.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';

const CODE = `import { readFile } from 'node:fs/promises';

/** The answer. */
export async function answer(file: string): Promise<number> {
  return Number(await readFile(file, 'utf8')); // <script>window.tricked=1</script>
}
`;
const TITLE = 'Make the answer right \u202Exe.<b>txt</b>';

let db: TestDatabase;
let appliance: Appliance;
let browser: Browser;
/** What agents that wait are let go by, also when a test fails. */
const waiting: string[] = [];

before(async () => {
  db = await testDatabase();
  appliance = await startAppliance(`database.url=${db.url}`);
  browser = await openBrowser();
});
after(async () => {
  for (const go of waiting) writeFileSync(go, '');
  await browser?.close();
  await appliance?.[Symbol.asyncDispose]();
  await db?.[Symbol.asyncDispose]();
});

/** A project whose agent works when it is let. */
async function waitingProject(name: string): Promise<{ letGo(): void }> {
  const go = path.join(appliance.directory, `${name}-go`);
  const code = path.join(appliance.directory, `${name}-code`);
  waiting.push(go);
  writeFileSync(code, CODE);
  await appliance.project(name, {
    agent: `echo "I look at the answer."; while [ ! -e ${go} ]; do sleep 0.1; done; mkdir -p src; cp ${code} src/answer.ts; echo 42 > answer; echo done`,
  });
  return { letGo: () => writeFileSync(go, '') };
}

const hasRun = async (task: number, state: string) =>
  await eventually(
    async () => (await appliance.runs(task)).at(-1)?.state === state || undefined,
    `a run of task ${task} to be ${state}`,
  );
const part = (page: Page, name: string) => page.getByRole('region', { name });

test('a task is seen from what caused it to its change, as it happens', async () => {
  const { letGo } = await waitingProject('seen');
  const more = { body: 'It says 41.\n\n```\ncat answer\n```', acceptance: ['the check passes'] };
  const task = await appliance.task('seen', TITLE, more);
  await hasRun(task, 'working');
  const watched = await signedIn(appliance, browser);
  const { page } = watched;
  await page.goto(`${appliance.url()}/tasks/${task}`);
  await page.getByRole('heading', { name: `#${task} Make the answer right ‹202E›xe.<b>txt</b>` }).waitFor();
  await page.getByText('I look at the answer.').waitFor();
  await page.getByText('running', { exact: true }).waitFor();
  await assertSound(watched);
  await picture(page, 'task-running');
  await page.getByText(/, \d+ MiB of memory \(at most \d+\), [\d.]+ cores$/).waitFor();
  await page.goto(`${appliance.url()}/fleet`);
  const used = /^Memory of \d+-1: \d+ of 256 MiB set aside, [\d.]+ cores, [1-9]\d* processes$/;
  await page.getByRole('img', { name: used }).waitFor();
  await assertSound(watched);
  await page.goBack();
  await page.getByText('What is asked for').click();
  await page.getByText('the check passes', { exact: true }).waitFor();

  letGo();
  await page.getByText('completed', { exact: true }).waitFor();
  await page.getByRole('heading', { name: /Verify the result, from a fresh clone/ }).waitFor();
  await page.getByText('src/answer.ts').first().waitFor();
  await page.getByRole('link', { name: /^Change \d+ opened in seen$/ }).waitFor();
  await page.getByText(/^Created by/).waitFor();
  await page.getByText(/, at most \d+ MiB of memory, .* of processor time$/).waitFor();
  assert.equal(await page.getByRole('heading', { name: /^Execute/ }).count(), 1);
  await assertSound(watched);
  await page.emulateMedia({ colorScheme: 'dark' });
  await assertSound(watched);
  await picture(page, 'task-dark');
  await page.setViewportSize(NARROW);
  await assertSound(watched);
  assert.equal(await page.evaluate('window.tricked'), undefined);
  assert.ok(
    await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth'),
    'nothing sticks out of a narrow window',
  );
  await page.context().close();
});

test('a task is cancelled, and tried again with words for its agent', async () => {
  const { letGo } = await waitingProject('steered');
  const task = await appliance.task('steered');
  await hasRun(task, 'working');
  const watched = await signedIn(appliance, browser, { role: 'operator' });
  const { page } = watched;
  await page.goto(`${appliance.url()}/tasks/${task}`);
  await page.getByRole('button', { name: 'Cancel …' }).click();
  await assertSound(watched);
  await page.getByRole('button', { name: 'Cancel the task' }).click();
  await page.getByText('cancelled', { exact: true }).first().waitFor();
  await page.getByRole('button', { name: 'Try again …' }).click();
  await page.getByLabel('What should be different').fill('Look twice.');
  await assertSound(watched);
  await page.getByRole('button', { name: 'Try again', exact: true }).click();
  await page
    .getByRole('link', { name: /^Run 2/ })
    .first()
    .waitFor();
  letGo();
  await page.getByText('completed', { exact: true }).waitFor();
  await page
    .getByRole('link', { name: /^Run 1/ })
    .first()
    .click();
  await page.waitForURL(new RegExp(`run=${task}-1`));
  const messages = await appliance.api<TaskMessage[]>('GET', `/tasks/${task}/messages`);
  assert.deepEqual(
    messages.map(({ text }) => text),
    ['Look twice.'],
  );
  await page.context().close();
});

test('a comment on a line becomes a message that opens the task again, and so does a conflict; then the change is merged', async () => {
  const { letGo } = await waitingProject('reviewed');
  letGo();
  const task = await appliance.task('reviewed', 'Add src/answer.ts');
  await appliance.ended(task);
  const [change] = await appliance.changes('reviewed');
  const watched = await signedIn(appliance, browser);
  const { page } = watched;
  await page.goto(`${appliance.url()}/review?project=reviewed`);
  await page.getByText('1 passed').waitFor();
  await assertSound(watched);
  await picture(page, 'review');
  await page.getByRole('link', { name: 'Add src/answer.ts' }).click();
  const file = part(page, 'src/answer.ts');
  await file.locator('.text-review', { hasText: 'import' }).first().waitFor(); // in its colours
  await file.getByText('<script>window.tricked=1</script>').waitFor();
  await assertSound(watched);
  await picture(page, 'change-light');
  await page.emulateMedia({ colorScheme: 'dark' });
  await assertSound(watched);

  await file.getByRole('button', { name: 'Comment on line 4 of src/answer.ts' }).focus();
  await page.keyboard.press('Enter');
  await page.keyboard.type('Call it theAnswer.');
  await page.keyboard.press('Control+Enter');
  await page.reload();
  await file.getByText('Call it theAnswer.').waitFor();
  await assertSound(watched);
  await picture(page, 'change-comment-dark');
  await page.getByRole('button', { name: 'Side by side' }).click();
  await page.getByLabel('Ask for changes').fill('Nearly there.');
  await page.getByRole('button', { name: 'Send to the agent' }).click();
  await page.getByText('Sent: the agent goes on from this branch.').waitFor();
  assert.equal(await file.getByText('Call it theAnswer.').count(), 0, 'what was sent is not kept');
  await eventually(
    async () => (await appliance.api<Task>('GET', `/tasks/${task}`)).attempt === 2 || undefined,
    'another run',
  );
  assert.equal((await appliance.ended(task)).state, 'completed');
  const { text } = (await appliance.api<TaskMessage[]>('GET', `/tasks/${task}/messages`))[0]!;
  assert.match(
    text,
    /Nearly there\.\n\nsrc\/answer\.ts, line 4:\n> export async function answer\(file: string\): Promise<number> \{\nCall it theAnswer\.$/,
  );

  // Somebody changes the same file in the base branch.
  const place = path.join(appliance.directory, 'reviewed');
  mkdirSync(path.join(place, 'src'), { recursive: true });
  writeFileSync(path.join(place, 'src/answer.ts'), 'export const answer = 41;\n');
  for (const words of [
    ['add', '--all'],
    ['commit', '--quiet', '--message', 'Another answer'],
  ])
    execFileSync('git', ['-C', place, '-c', 'user.name=Ann', '-c', 'user.email=ann@example.org', ...words]);
  await page.reload();
  await page.getByText('It conflicts with main in src/answer.ts.').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Merge …' }).count(), 0);
  await assertSound(watched);
  await page.goto(`${appliance.url()}/review?project=reviewed`);
  await page.getByRole('link', { name: 'conflicts' }).click();
  await page.getByRole('cell', { name: 'conflicts' }).waitFor();
  await assertSound(watched);
  await picture(page, 'review-conflicts-dark');
  await page.getByRole('link', { name: 'Add src/answer.ts' }).click();
  await page.getByRole('button', { name: 'Have the conflict resolved …' }).click();
  await page.getByLabel('What the agent should heed').fill('Ours is right.');
  await assertSound(watched);
  await picture(page, 'change-conflict-dark');
  await page.getByRole('button', { name: 'Open the task again' }).click();
  await eventually(
    async () => (await appliance.api<Task>('GET', `/tasks/${task}`)).attempt === 3 || undefined,
    'a run that resolves the conflict',
  );
  assert.equal((await appliance.ended(task)).state, 'completed');

  await page.getByRole('button', { name: 'Merge …' }).click();
  await assertSound(watched);
  await page.getByRole('button', { name: 'Merge the change' }).click();
  await page.getByText(/main is checked out in/).waitFor(); // what to do stands beside it
  await assertSound(watched);
  execFileSync('git', ['-C', path.join(appliance.directory, 'reviewed'), 'switch', '-q', '--detach']);
  await page.getByRole('button', { name: 'Merge the change' }).click();
  await page.getByText('merged', { exact: true }).waitFor();
  assert.equal((await appliance.api<Change>('GET', `/changes/${change!.id}`)).state, 'merged');
  assert.equal(await page.evaluate('window.tricked'), undefined);
  await page.context().close();
});

test('a proposed plan waits for a word; a viewer sees it and may not give one', async () => {
  const { letGo } = await waitingProject('planned');
  letGo();
  const task = await appliance.task('planned', 'Answer', { approvePlan: true });
  await eventually(
    async () => (await appliance.api<Task>('GET', `/tasks/${task}`)).planState === 'proposed' || undefined,
    'a plan',
  );
  const viewer = await signedIn(appliance, browser, { role: 'viewer' });
  await viewer.page.goto(`${appliance.url()}/tasks/${task}`);
  await viewer.page.getByText('pending: approval').waitFor();
  for (const name of ['Approve', 'Send', 'Cancel …'])
    assert.equal(await viewer.page.getByRole('button', { name }).count(), 0);
  await assertSound(viewer);
  const watched = await signedIn(appliance, browser);
  const { page } = watched;
  await page.goto(`${appliance.url()}/tasks/${task}`);
  await page.getByRole('button', { name: 'Approve', exact: true }).waitFor();
  await page.getByLabel('Steps').fill('Look\nWrite 42');
  await assertSound(watched);
  await picture(page, 'task-plan');
  await page.getByRole('button', { name: 'Approve with these steps' }).click();
  await page.getByText('completed', { exact: true }).waitFor();
  const { plan } = await appliance.api<Task>('GET', `/tasks/${task}`);
  assert.deepEqual(
    plan?.steps.map(({ title }) => title),
    ['Look', 'Write 42'],
  );
  for (const each of [viewer.page, page]) await each.context().close();
});
