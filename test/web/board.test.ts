// The board in a real browser, against a real daemon with real tasks: seen, narrowed, ordered, given, edited, cancelled; what happens
// while it is open; what must not.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { Task } from '../../protocol/task.ts';
import { eventually, startAppliance, type Appliance } from '../e2e/appliance.ts';
import { assertSound, NARROW, openBrowser, picture, signedIn } from '../support/browser.ts';

const TRICKS = '<img src=x onerror="window.tricked=1"><script>window.tricked=1</script> \u202Etxt.exe';
const TITLES = {
  reviewed: 'Make parse() accept empty input',
  failing: 'Round half to even in invoices',
  first: 'Retry the payment webhook with backoff',
  second: 'Load the chart only on the report page',
  third: 'Show prices in the customer’s currency',
};

/** Those that wait for their turn, for what a board looks like. */
const MORE = [
  'Upgrade the HTTP client and mend what its new defaults break',
  'Tell the customer when an item is sold out',
  'Keep the basket over a sign-in',
  'Search without accents',
];

let appliance: Appliance;
let browser: Browser;
const ids: Record<string, number> = {};

before(async () => {
  appliance = await startAppliance();
  browser = await openBrowser();
  await appliance.project('shop', { agent: 'echo 42 > answer' });
  await appliance.project('billing', { agent: 'exit 3' });
  for (const name of ['store', 'pay', 'report']) await appliance.project(name, { agent: 'echo 42 > answer' });
  for (const [project, title] of [
    ['shop', TITLES.reviewed],
    ['billing', TITLES.failing],
  ] as const) {
    ids[title] = await appliance.task(project, title);
    await appliance.ended(ids[title]);
  }
  await appliance.autocode('drain', 'start', '--reason', 'a test'); // those below stay in the queue
  for (const [project, title] of [
    ['pay', TITLES.first],
    ['report', TITLES.second],
    ['store', TITLES.third],
  ] as const) {
    ids[title] = await appliance.task(project, title);
  }
  for (const title of MORE) await appliance.task('store', title);
});
after(async () => {
  await browser?.close();
  await appliance?.[Symbol.asyncDispose]();
});

const column = (page: Page, title: string) => page.getByRole('region', { name: new RegExp(`^${title}, `) });
const card = (page: Page, title: string) => page.getByRole('link', { name: title });
const titlesIn = async (page: Page, title: string) =>
  await column(page, title).getByRole('link').allTextContents();

/** Waits until a column shows these titles in this order. */
async function shows(page: Page, title: string, wanted: string[]): Promise<void> {
  let seen: string[] = [];
  await eventually(
    async () => {
      seen = await titlesIn(page, title);
      return JSON.stringify(seen) === JSON.stringify(wanted) || undefined;
    },
    `${title} to show ${wanted.join(', ')}`,
  ).catch(() => assert.deepEqual(seen, wanted));
}

test('tasks are in their columns, light and dark, wide and narrow, and everybody can use them', async () => {
  const watched = await signedIn(appliance, browser);
  const { page } = watched;
  await shows(page, 'In review', [TITLES.reviewed]);
  await shows(page, 'Failed', [TITLES.failing]);
  await shows(page, 'Queued', [TITLES.first, TITLES.second, TITLES.third]);
  await assertSound(watched);
  await picture(page, 'board-light');
  await page.emulateMedia({ colorScheme: 'dark' });
  await assertSound(watched);
  await picture(page, 'board-dark');
  await page.setViewportSize(NARROW);
  await assertSound(watched);
  await picture(page, 'board-narrow');
  await page.context().close();
});

test('what others wrote is words and nothing else', async () => {
  const watched = await signedIn(appliance, browser);
  const { page } = watched;
  await appliance.task('store', TRICKS);
  await card(page, 'window.tricked').first().waitFor();
  const [title] = await titlesIn(page, 'Waiting');
  assert.match(title!, /^<img src=x onerror="window\.tricked=1"><script>/);
  assert.doesNotMatch(title!, /[\u202a-\u202e\u2066-\u2069]/, 'nothing turns the order of letters round');
  assert.equal(await page.evaluate('window.tricked'), undefined);
  await assertSound(watched);
  await page.context().close();
});

test('by keys alone a task is found, given, seen and cancelled', async () => {
  const watched = await signedIn(appliance, browser);
  const { page } = watched;
  await column(page, 'Queued').waitFor();
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Find a page or a task' }).waitFor();
  await page.keyboard.type('half to even');
  await page.getByRole('option', { name: TITLES.failing }).waitFor();
  await assertSound(watched);
  await picture(page, 'palette');
  await page.keyboard.press('Escape');
  await page.keyboard.press('c');
  await page.getByLabel('Title', { exact: true }).waitFor();
  await page.getByRole('dialog').getByRole('option', { name: 'report' }).waitFor({ state: 'attached' });
  await page.getByLabel('Project', { exact: true }).focus();
  await page.keyboard.type('report');
  await page
    .getByText(/report one task waits|One queued task|queued tasks go before/i)
    .first()
    .waitFor();
  await page.getByLabel('Title', { exact: true }).focus();
  await page.keyboard.type('Draw axes from zero');
  await page.keyboard.press('Tab');
  await page.keyboard.type('The chart of the report lies.');
  await page.keyboard.press('Tab');
  await page.keyboard.type('axes begin at 0\na test says so');
  await assertSound(watched);
  await picture(page, 'new-task');
  await page.getByRole('button', { name: 'Give task' }).focus();
  await page.keyboard.press('Enter');
  await card(page, 'Draw axes from zero').waitFor();
  const task = (await appliance.api<Task[]>('GET', '/tasks?limit=1'))[0]!;
  assert.deepEqual(
    [task.title, task.acceptance],
    ['Draw axes from zero', ['axes begin at 0', 'a test says so']],
  );
  await page.getByRole('checkbox', { name: `Mark task ${task.id}` }).focus();
  await page.keyboard.press('Space');
  await page.getByRole('toolbar', { name: 'Marked tasks' }).getByRole('button', { name: 'Cancel' }).focus();
  await page.keyboard.press('Enter');
  await column(page, 'Done').getByRole('link', { name: 'Draw axes from zero' }).waitFor();
  await assertSound(watched);
  await page.context().close();
});

test('the queue is ordered by keys and by dragging; whoever looks on sees it move', async () => {
  const { page } = await signedIn(appliance, browser);
  const { page: other } = await signedIn(appliance, browser, { role: 'viewer' });
  await shows(page, 'Queued', [TITLES.first, TITLES.second, TITLES.third]);
  await card(page, TITLES.third).focus();
  await page.keyboard.press(']');
  await shows(page, 'Queued', [TITLES.third, TITLES.first, TITLES.second]);
  await shows(other, 'Queued', [TITLES.third, TITLES.first, TITLES.second]);
  const cards = column(page, 'Queued').getByRole('listitem');
  await cards.nth(2).dragTo(cards.nth(0), { targetPosition: { x: 40, y: 4 } });
  await shows(page, 'Queued', [TITLES.second, TITLES.third, TITLES.first]);
  await shows(other, 'Queued', [TITLES.second, TITLES.third, TITLES.first]);
  assert.equal(await other.getByRole('checkbox').count(), 0, 'a viewer marks nothing');
  assert.equal(await other.getByRole('button', { name: 'New task' }).count(), 0);
  for (const each of [page, other]) await each.context().close();
});

test('what it is narrowed to stands in the address and comes back by a name', async () => {
  const watched = await signedIn(appliance, browser);
  const { page } = watched;
  await page.getByLabel('All projects').selectOption('shop');
  await shows(page, 'Queued', []);
  await page.getByLabel('Words of a title').fill('parse');
  await page.waitForURL(/project=shop&text=parse/);
  await page.getByRole('button', { name: 'Save view' }).click();
  await page.getByLabel('Name of the view').fill('parsing');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Clear' }).click();
  await column(page, 'Failed').getByRole('link', { name: TITLES.failing }).waitFor();
  await page.getByLabel('Saved views').selectOption('parsing');
  await shows(page, 'Failed', []);
  await shows(page, 'In review', [TITLES.reviewed]);
  await page.reload();
  await shows(page, 'In review', [TITLES.reviewed]);
  await page.getByLabel('Words of a title').fill('no such words');
  await page.getByText('No task passes this filter').waitFor();
  await assertSound(watched);
  await page.context().close();
});

test('who edits what somebody else has changed is told, and overwrites nothing unasked', async () => {
  const watched = await signedIn(appliance, browser);
  const { page } = watched;
  const id = ids[TITLES.third]!;
  await page.goto(`${appliance.url()}/?edit=${id}`);
  await page.getByLabel('Title', { exact: true }).fill('Mine');
  await appliance.api('PATCH', `/tasks/${id}`, { title: 'Theirs' });
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const conflict = page.getByRole('region', { name: 'Changed meanwhile' });
  await conflict.getByText('Theirs', { exact: true }).waitFor();
  await assertSound(watched);
  assert.equal((await appliance.api<Task>('GET', `/tasks/${id}`)).title, 'Theirs');
  await conflict.getByRole('button', { name: 'Take theirs' }).click();
  await conflict.waitFor({ state: 'detached' });
  await page.getByLabel('Title', { exact: true }).fill(TITLES.third);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await card(page, TITLES.third).waitFor();
  assert.equal((await appliance.api<Task>('GET', `/tasks/${id}`)).title, TITLES.third);
  await page.context().close();
});

test('what was typed outlives the session and the daemon; what happened meanwhile is there once', async () => {
  const { page, problems } = await signedIn(appliance, browser, { role: 'operator' });
  await column(page, 'Queued').waitFor();
  await page.getByRole('button', { name: 'New task' }).click();
  await page.getByLabel('Title', { exact: true }).fill('Typed before it ended');
  await page.getByLabel('Project', { exact: true }).selectOption('shop');
  await appliance.autocode('user', 'disable', 'the-operator');
  await appliance.autocode('user', 'enable', 'the-operator');
  await page.getByText('The session has ended').waitFor();
  await appliance.autocode('down');
  await page.getByText('Reconnecting').waitFor({ state: 'attached' });
  await appliance.up();
  await page.getByLabel('Name', { exact: true }).fill('the-operator');
  await page.getByLabel('Password').fill('correct horse battery staple');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText('The session has ended').waitFor({ state: 'detached' });
  assert.equal(await page.getByLabel('Title', { exact: true }).inputValue(), 'Typed before it ended');
  const meanwhile = await appliance.task('billing', 'Came while the page was away');
  await page.getByRole('button', { name: 'Give task' }).click();
  await card(page, 'Came while the page was away').waitFor();
  await card(page, 'Typed before it ended').waitFor();
  assert.equal(await card(page, 'Came while the page was away').count(), 1);
  assert.equal(
    (await appliance.api<Task[]>('GET', `/tasks?limit=50`)).filter(({ id }) => id >= meanwhile).length,
    2,
  );
  assert.deepEqual(problems, []);
  await page.context().close();
});
