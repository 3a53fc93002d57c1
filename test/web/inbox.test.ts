// What people are told, in a real browser against a real daemon: the bell, the inbox, rules, channels, notifications of the browser; and
// the bar with its menu, its palette and its keys.
import assert from 'node:assert/strict';
import { createECDH, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import type { Browser, Page, Worker } from 'playwright-core';
import type { NotificationRule } from '../../protocol/notification.ts';
import type { NewPerson, SignedIn } from '../../protocol/person.ts';
import { emit } from '../../orchestrator/events/outbox.ts';
import { mailServer, type MailServer } from '../../orchestrator/notifications/email/testing.ts';
import { eventually, startAppliance, type Appliance } from '../e2e/appliance.ts';
import {
  assertSound,
  NARROW,
  openBrowser,
  openPage,
  picture,
  press,
  signedIn,
  soundInAll,
} from '../support/browser.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';

const TRICKS = '<img src=x onerror="window.tricked=1"> \u202Etxt.exe';
/** A machine that does much else at the same time. */
const PATIENCE_MS = 120_000;
const PASSWORD = 'a sentence is a good one';
let db: TestDatabase;
let appliance: Appliance;
let browser: Browser;
let receiver: Server;
let mail: MailServer;
const received: string[] = [];

before(async () => {
  receiver = createServer((request, answer) => {
    void text(request).then((body) => {
      received.push(body);
      answer.end();
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  const channels = [
    { name: 'team', kind: 'webhook', url, forPeople: true },
    { name: 'broken', kind: 'slack', secret: 'none' },
  ];
  mail = await mailServer({ tls: 'none' });
  const email = { host: 'localhost', port: mail.port, tls: 'none', from: 'autocode@example.com' };
  db = await testDatabase();
  appliance = await startAppliance(
    `database.url=${db.url}`,
    `notifications.channels=${JSON.stringify(channels)}`,
    ...Object.entries(email).map(([key, value]) => `notifications.email.${key}=${value}`),
    'limits.retries.agent=0',
    'notifications.push.enabled=true',
    'notifications.push.subject=mailto:ops@example.com',
    'notifications.push.hosts=["push.invalid"]',
  );
  await appliance.api('PUT', '/secrets/notify-team', {
    value: `whsec_${randomBytes(24).toString('base64')}`,
  });
  browser = await openBrowser();
  for (const name of ['shop', 'vault']) await appliance.project(name, { agent: 'exit 3' });
});
after(async () => {
  receiver?.close();
  try {
    await browser?.close();
    await appliance?.[Symbol.asyncDispose]();
  } finally {
    await mail?.[Symbol.asyncDispose]();
    await db?.[Symbol.asyncDispose](); // an open one would keep the run from ending
  }
});

/** A task of which the outbox says that it failed. */
async function failed(title: string, project = 'shop'): Promise<number> {
  await appliance.api('PUT', '/drain', { reason: 'a test' }); // it stays where it is
  const task = await appliance.task(project, title);
  const { rows } = await db.pool.query<{ project: number }>('select project from task where id = $1', [task]);
  const data = { from: 'running', to: 'failed', reason: 'The agent failed: sh exited with code 3' };
  await emit(db.pool, { kind: 'task.state', project: rows[0]!.project, task, data });
  return task;
}

const rules = async () => await appliance.api<NotificationRule[]>('GET', '/notification-rules');
const bell = (page: Page, unread: number) =>
  page.getByRole('link', { name: unread === 0 ? 'Inbox' : `Inbox, ${unread} unread`, exact: true });

test('a rule is made and changed by keys; from then on the bell counts what happens, and opening it is reading it', async () => {
  const watched = await signedIn(appliance, browser);
  const { page } = watched;
  await page.keyboard.press('g');
  await page.keyboard.press('u');
  await page.getByText('You were told nothing yet').waitFor();
  await page.getByRole('link', { name: 'Make a rule' }).press('Enter');
  await page.getByText('You are told of nothing yet').waitFor();
  await press(page, 'New rule');
  await press(page, 'Make the rule');
  await page.getByText('Choose at least one.').waitFor();
  await page.getByLabel('A task failed, with no try left.').press('Space');
  await assertSound(watched);
  await page.keyboard.press('Enter');
  const own = page.getByRole('region', { name: 'What I am told' }).getByRole('table');
  await own.getByRole('row', { name: 'task failed all projects' }).waitFor();
  await press(page, 'New rule');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.equal(await page.evaluate('document.activeElement.textContent'), 'New rule');
  const [made] = await rules();
  assert.partialDeepStrictEqual(made, { person: 'the-admin', project: null, kinds: ['task.failed'] });
  await page
    .getByRole('button', { name: `Change rule ${made!.id}` })
    .first()
    .press('Enter');
  await page.getByLabel('A change waits for review.').press('Space');
  await page.getByLabel('team').press('Space');
  await page.keyboard.press('Enter');
  await own.getByText('change ready').waitFor();
  assert.partialDeepStrictEqual((await rules())[0], { channels: ['team'] });

  await page.goto(appliance.url());
  const task = await appliance.task('shop', TRICKS);
  await appliance.ended(task);
  await bell(page, 1).waitFor();
  assert.equal(await page.title(), '(1) Board · Autocode');
  await bell(page, 1).press('Enter');
  await page.getByRole('link', { name: 'Failed: <img src=x' }).press('Enter');
  await page.waitForURL(`**/tasks/${task}`);
  await bell(page, 0).waitFor();
  assert.equal(await page.title(), `Task ${task} · Autocode`);
  assert.equal(await page.evaluate('window.tricked'), undefined);

  for (const title of ['Round half to even', 'Retry the webhook', 'Sort the report']) await failed(title);
  await page.goto(`${appliance.url()}/inbox`);
  await bell(page, 3).waitFor();
  await page.getByLabel('Kind').selectOption('task failed');
  await page.waitForURL(/kind=task\.failed/);
  await soundInAll(watched, 'inbox');
  await press(page, 'Mark read, and older: Failed: Retry the webhook');
  await bell(page, 1).waitFor();
  await page.getByLabel('unread only').press('Space');
  await page.getByText('Retry the webhook').waitFor({ state: 'detached' });
  await press(page, 'Mark read: Failed: Sort the report');
  await page.getByText('Nothing is unread').waitFor();
  await bell(page, 0).waitFor();
  assert.deepEqual(watched.problems, []);
  await page.context().close();
});

test('a channel is tested, what was sent stands in the log, and times of one’s own are set', async () => {
  const watched = await signedIn(appliance, browser);
  const { page } = watched;
  await page.goto(`${appliance.url()}/inbox?view=channels`);
  const channels = page.getByRole('region', { name: 'Channels' }).getByRole('table');
  await press(page, 'Test broken');
  await channels.getByRole('row', { name: /^broken slack admins failed/ }).waitFor();
  await press(page, 'Test team');
  await page.getByText('team took the test.').waitFor();
  assert.ok(received.some((body) => body.includes('A test of the channel team')));
  await channels.getByRole('row', { name: /^team webhook everybody sent/ }).waitFor();
  await soundInAll(watched, 'channels');
  await page.getByRole('link', { name: 'failed' }).press('Enter');
  const log = page.getByRole('region', { name: 'Deliveries' }).getByRole('table');
  await log.getByText('A test of the channel team').waitFor({ state: 'detached' });
  await log.getByText('A test of the channel broken').waitFor();

  await page.goto(`${appliance.url()}/account`);
  await page.getByRole('link', { name: 'By email, in browsers, and when' }).press('Enter');
  await page.getByLabel('Quiet hours').press('Space');
  await soundInAll(watched, 'told-how');
  await page.getByLabel('Time zone').fill('Nowhere/There');
  await page.keyboard.press('Enter');
  await page.getByText('use a name of the time zone database').first().waitFor();
  await assertSound(watched);
  await page.getByLabel('Time zone').fill('Europe/Berlin');
  await page.keyboard.press('Enter');
  await page.getByText('It holds from now on.').waitFor();
  await page.reload();
  assert.equal(await page.getByLabel('Time zone').inputValue(), 'Europe/Berlin');
  assert.equal(await page.getByLabel('From').inputValue(), '22:00');

  await page.getByLabel('Address').fill('admin@example.org');
  await page.keyboard.press('Enter');
  await page.getByText('A letter with a code is on its way to admin@example.org.').waitFor();
  await page
    .getByText('Nothing is sent to admin@example.org until it is confirmed. A letter with a code was sent')
    .waitFor();
  await page.getByLabel('Code of the letter').fill('another one');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('The code is unknown').waitFor();
  await soundInAll(watched, 'confirm-address');
  const code = /^[\w-]{43}(?==?\r)/m.exec(mail.received[0]!.raw.replaceAll('=\r\n', ''))![0];
  await page.goto(`${appliance.url()}/inbox?view=ways#confirm=${code}`);
  await press(page, 'Confirm the address');
  await page.getByText('It is confirmed.', { exact: true }).waitFor();
  assert.equal(new URL(page.url()).hash, '');
  assert.deepEqual(watched.problems, []);
  await page.context().close();
});

test('a browser shows what it is sent, and what happens while a page is open; a click leads to pages of this site alone', async () => {
  const watched = await signedIn(appliance, browser, { permissions: ['notifications'] });
  await appliance.api('POST', '/notification-rules', { person: 'the-admin', kinds: ['task.failed'] });
  const { page } = watched;
  await page.goto(`${appliance.url()}/inbox?view=ways`);
  const line = await page.context().newCDPSession(page);
  const registered = new Promise<string>((resolve) => {
    line.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      if (registrations[0] !== undefined) resolve(registrations[0].registrationId);
    });
  });
  await line.send('ServiceWorker.enable');
  const [worker] = await Promise.all([
    page.context().waitForEvent('serviceworker', { timeout: PATIENCE_MS }),
    turn(page),
  ]);
  // A browser that keeps nothing has no push service, and complains.
  await page.getByText('as long as a page of Autocode is open: Registration failed').waitFor();
  assert.ok(watched.problems.splice(0).every((problem) => problem.includes('Push API')));
  await assertSound(watched);

  await worker.evaluate(NOTING);
  await page.evaluate(NOTING);
  const push = { origin: appliance.url(), registrationId: await registered };
  const deliver = async (data: string) =>
    await line.send('ServiceWorker.deliverPushMessage', { ...push, data });
  await deliver(
    JSON.stringify({ id: 900, title: 'Ready for review', body: 'project shop', path: '/changes/4' }),
  );
  assert.equal(await shown(page, worker, 'Ready for review'), 'project shop {"path":"/changes/4"}');
  await deliver('nothing that can be read');
  assert.match(await shown(page, worker, 'Autocode'), /something new .* {"path":"\/inbox"}/);
  const task = await failed('Seen while it is open');
  const told = await shown(page, page, 'Failed: Seen while it is open');
  assert.ok(told.endsWith(`{"path":"/tasks/${task}"}`), told);
  assert.deepEqual(
    await clicked(worker, ['/changes/4', null, 'https://elsewhere.example/', '//elsewhere.example']),
    ['/changes/4', '/inbox', '/inbox', '/inbox'].map((path) => `${appliance.url()}${path}`),
  );
  await turn(page);
  await page.getByText('It asks for permission when you turn it on.').waitFor();
  await subscribed(page, 'Firefox on Linux');
  await page.reload();
  await page.getByText('push.invalid').waitFor();
  await page.getByRole('button', { name: /^Remove browser \d+, Firefox on Linux$/ }).press('Enter');
  await page.getByText('push.invalid').waitFor({ state: 'detached' });
  assert.equal(
    await page.evaluate('navigator.serviceWorker.getRegistrations().then(({ length }) => length)'),
    0,
  );
  assert.deepEqual(watched.problems, []);
  await page.context().close();
});

/** Notes when something is shown: Chromium forgets what it is asked about while it is being shown, so nothing may ask earlier. */
const NOTING = `{
  const { showNotification } = ServiceWorkerRegistration.prototype;
  globalThis.noted = [];
  ServiceWorkerRegistration.prototype.showNotification = async function (title, options) {
    await showNotification.call(this, title, options);
    noted.push(title);
  };
}`;

/** Body and data of the notification with a title, when it is there. */
async function shown(page: Page, by: Pick<Page, 'evaluate'>, title: string): Promise<string> {
  const isThere = `noted.includes(${JSON.stringify(title)})`;
  await eventually(async () => (await by.evaluate<boolean>(isThere)) || undefined, title);
  const all = `navigator.serviceWorker.ready.then((registration) => registration.getNotifications())`;
  return await page.evaluate<string>(
    `${all}.then((all) => all.filter(({ title }) => title === ${JSON.stringify(title)})
      .map(({ body, data }) => body + ' ' + JSON.stringify(data)).join())`,
  );
}

/** Another browser of whoever is signed in at the page. */
async function subscribed(page: Page, label: string): Promise<void> {
  const at = `${appliance.url()}/api/v1`;
  const { csrf } = (await (await page.request.get(`${at}/session`)).json()) as SignedIn;
  const keys = {
    p256dh: createECDH('prime256v1').generateKeys('base64url'),
    auth: randomBytes(16).toString('base64url'),
  };
  const answer = await page.request.post(`${at}/push-subscriptions`, {
    headers: { 'x-csrf-token': csrf ?? '' },
    data: { endpoint: 'https://push.invalid/1', keys, label },
  });
  assert.equal(answer.status(), 201, await answer.text());
}

async function turn(page: Page): Promise<void> {
  await page.getByRole('switch', { name: 'Notify this browser' }).press('Space');
}

/** Where a click on notifications of these paths leads; windows open only for people, so what would be opened is noted. */
async function clicked(worker: Worker, paths: (string | null)[]): Promise<string[]> {
  return await worker.evaluate(async (given) => {
    const scope = globalThis as unknown as {
      clients: { openWindow(address: string): Promise<void> };
      registration: {
        showNotification(title: string, options: object): Promise<void>;
        getNotifications(filter: object): Promise<object[]>;
      };
      dispatchEvent(event: Event): boolean;
      NotificationEvent: new (kind: string, of: object) => Event;
    };
    const opened: string[] = [];
    scope.clients.openWindow = async (address) => await Promise.resolve(void opened.push(address));
    for (const path of given) {
      await scope.registration.showNotification('t', { tag: String(path), data: { path } });
      const [notification] = await scope.registration.getNotifications({ tag: String(path) });
      scope.dispatchEvent(new scope.NotificationEvent('notificationclick', { notification }));
      for (let waited = 0; opened.length <= given.indexOf(path) && waited < 2000; waited++)
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return opened;
  }, paths);
}

/** What of these is of no use to people of single projects who may only look. */
const ofAll = (names: string[]) =>
  names.filter((each) => /Fleet|Money|Traffic|System|People|Audit|Settings|New task/.test(each));

test('whoever may see one project is told of that alone, and led to no page that is not for them, by menu, keys or palette', async () => {
  const { link } = await appliance.api<NewPerson>('POST', '/people', {
    name: 'una',
    projects: { shop: 'viewer' },
  });
  await appliance.api('POST', '/notification-rules', { person: 'una', kinds: ['task.failed'] });
  const watched = await openPage(browser, { viewport: NARROW });
  const { page } = watched;
  await page.goto(link.url);
  await page.getByLabel('New password').fill(PASSWORD);
  await page.getByLabel('The same again').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Menu' }).waitFor();
  await failed('a task of vault', 'vault');
  await failed('a task of shop');
  await bell(page, 1).press('Enter');
  await page.getByText('Failed: a task of shop').waitFor();
  assert.equal(await page.getByText('a task of vault').count(), 0);

  const menu = page.getByRole('button', { name: 'Menu' });
  await menu.press('Enter');
  const sheet = page.getByRole('dialog', { name: 'Menu' });
  await sheet.waitFor();
  assert.equal(await menu.getAttribute('aria-expanded'), 'true');
  const led = await sheet.getByRole('link').allTextContents();
  assert.deepEqual(ofAll(led), []);
  assert.ok(led.includes('Account'));
  await assertSound(watched);
  await picture(page, 'menu');
  for (let step = 0; step < 12; step++) {
    await page.keyboard.press('Tab');
    const outside = `!document.activeElement.closest('dialog') && document.activeElement !== document.body`;
    assert.equal(await page.evaluate(outside), false, 'the focus stays in the menu');
  }
  await page.keyboard.press('Escape');
  await sheet.waitFor({ state: 'detached' });
  assert.equal(await page.evaluate(`document.activeElement.getAttribute('aria-label')`), 'Menu');
  await menu.press('Enter');
  await sheet.getByRole('link', { name: 'Review' }).press('Enter');
  await page.waitForURL('**/review');
  await sheet.waitFor({ state: 'detached' });

  await page.getByRole('heading', { name: 'Review' }).waitFor();
  for (const key of ['g', 'f', 'c']) await page.keyboard.press(key);
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').fill('e');
  const found = await page.getByRole('listbox').getByRole('option').allTextContents();
  assert.deepEqual(ofAll(found), []);
  assert.match(found.join(), /Review/);
  assert.equal(new URL(page.url()).pathname, '/review');
  await assertSound(watched);
  await page.context().close();
});
