// When things go wrong under open pages, in a real browser against a real daemon over its own TLS: a daemon that does not answer, tabs
// that come and go, sessions that end, and people who try what they may not.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page, Request } from 'playwright-core';
import type { AuditRecord } from '../../protocol/person.ts';
import type { Task } from '../../protocol/task.ts';
import { eventually, startAppliance, type Appliance } from '../e2e/appliance.ts';
import { openBrowser, signedIn, signIn } from '../support/browser.ts';
import { freePorts } from '../support/ports.ts';

/** A machine that does much else at the same time. */
const PATIENCE_MS = 40_000;

let appliance: Appliance;
let secure: Appliance;
let browser: Browser;

before(async () => {
  const [port, gatewayPort] = await freePorts(2);
  appliance = await startAppliance(
    'tls.host=127.0.0.1',
    `tls.port=${port}`,
    `tls.gatewayPort=${gatewayPort}`,
    'worker.local=false',
  );
  secure = { ...appliance, url: () => `https://127.0.0.1:${port}` };
  browser = await openBrowser();
  await appliance.project('shop', { agent: 'true' });
});
after(async () => {
  await browser?.close();
  await appliance?.[Symbol.asyncDispose]();
});

const card = (page: Page, title: string) => page.getByRole('link', { name: title });
/** Waits until the page hears of what happens. */
const live = async (page: Page) =>
  await page.getByText('Live', { exact: true }).first().waitFor({ state: 'attached' });
const isStream = (request: Request) => request.url().includes('/api/v1/events?after=');

test('over the daemon’s own TLS the session is for TLS alone; a viewer’s attempt is refused and recorded, and a text of another session too', async () => {
  const { page, problems } = await signedIn(secure, browser, { role: 'viewer', ignoreHTTPSErrors: true });
  const [cookie, ...others] = await page.context().cookies();
  assert.deepEqual(others, []);
  assert.partialDeepStrictEqual(cookie, {
    name: '__Host-autocode_session',
    secure: true,
    httpOnly: true,
    sameSite: 'Lax',
    path: '/',
  });
  // An authority of its own, and a second port without TLS: a browser that was told to insist could not be let in again.
  const answer = await page.request.get(`${secure.url()}/`);
  assert.equal(answer.headers()['strict-transport-security'], undefined);

  const ask = async (csrf: string) =>
    await page.evaluate<number>(
      `fetch('/api/v1/tasks', { method: 'POST', headers: { 'content-type': 'application/json', 'x-csrf-token': '${csrf}' },
        body: JSON.stringify({ project: 'shop', title: 'Of a viewer' }) }).then(({ status }) => status)`,
    );
  const csrf = async () =>
    await page.evaluate<string>(
      `fetch('/api/v1/session').then((answer) => answer.json()).then(({ csrf }) => csrf)`,
    );
  const first = await csrf();
  assert.equal(await ask(first), 403);
  const refused = await appliance.api<AuditRecord[]>('GET', '/audit-records?actor=the-viewer&refused=true');
  assert.match(JSON.stringify(refused), /POST.*\/tasks.*ERR_FORBIDDEN|ERR_FORBIDDEN.*POST.*\/tasks/);

  await page.getByRole('button', { name: /^Sign out/ }).click();
  await page.getByLabel('Name', { exact: true }).waitFor();
  assert.equal(await ask(first), 401, 'what the session knew opens nothing after it');
  const { page: again } = await signedIn(secure, browser, { role: 'viewer', ignoreHTTPSErrors: true });
  const replayed = await again.evaluate<{ status: number; body: { error: { details?: object } } }>(
    `fetch('/api/v1/own-tokens', { method: 'POST', headers: { 'content-type': 'application/json', 'x-csrf-token': '${first}' },
      body: JSON.stringify({ name: 'x' }) }).then(async (answer) => ({ status: answer.status, body: await answer.json() }))`,
  );
  assert.equal(replayed.status, 403);
  assert.deepEqual(replayed.body.error.details, { csrf: true });
  assert.deepEqual(problems, []);
  await page.context().close();
  await again.context().close();
});

test('tabs of one browser share one connection; when its holder closes, another goes on where that was; a session ends and begins for all', async () => {
  const { page: holder } = await signedIn(appliance, browser);
  await live(holder);
  const context = holder.context();
  context.setDefaultTimeout(PATIENCE_MS);
  const streams: { page: Page; after: string | undefined }[] = [];
  context.on('request', (request) => {
    if (isStream(request))
      streams.push({ page: request.frame().page(), after: request.headers()['last-event-id'] });
  });
  const tabs: Page[] = [];
  for (let n = 0; n < 2; n++) {
    const tab = await context.newPage();
    await tab.goto(appliance.url());
    await live(tab);
    tabs.push(tab);
  }
  await appliance.task('shop', 'Told to all tabs');
  for (const tab of [holder, ...tabs]) await card(tab, 'Told to all tabs').waitFor();
  assert.equal(streams.length, 0, 'the others listen to the first');

  await holder.close();
  await appliance.task('shop', 'Came while nobody read');
  for (const tab of tabs) await card(tab, 'Came while nobody read').waitFor();
  assert.equal(streams.length, 1);
  assert.ok(tabs.includes(streams[0]!.page));
  assert.match(streams[0]!.after ?? '', /^\d+-\d+$/, 'it goes on after what it knows');
  for (const tab of tabs)
    for (const title of ['Told to all tabs', 'Came while nobody read'])
      assert.equal(await card(tab, title).count(), 1);

  await appliance.autocode('user', 'disable', 'the-admin');
  await appliance.autocode('user', 'enable', 'the-admin');
  for (const tab of tabs) await tab.getByText('The session has ended').waitFor();
  await signIn(tabs[0]!, 'the-admin');
  for (const tab of tabs) await tab.getByText('The session has ended').waitFor({ state: 'detached' });
  await context.close();
});

test('a daemon that does not answer is waited for, and what was asked of it is asked once', async () => {
  const { page } = await signedIn(appliance, browser, { role: 'operator' });
  await page.getByRole('button', { name: 'New task' }).click();
  await page.getByLabel('Title', { exact: true }).fill('Asked for once');
  await page.getByLabel('Project', { exact: true }).selectOption('shop');
  const sent: Request[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST') sent.push(request);
  });
  const give = page.getByRole('button', { name: 'Give task' });
  const pid = appliance.daemonPid();
  process.kill(pid, 'SIGSTOP');
  try {
    await give.click();
    await eventually(async () => (await give.isDisabled()) || undefined, 'the button to wait');
    await page.getByLabel('Title', { exact: true }).press('Enter');
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await card(page, 'Asked for once').waitFor();
  assert.equal(sent.length, 1);
  const tasks = await appliance.api<Task[]>('GET', '/tasks?limit=50');
  assert.equal(tasks.filter(({ title }) => title === 'Asked for once').length, 1);
  await page.context().close();
});
