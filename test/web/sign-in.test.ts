// Signing in at the page, in a real browser against a real daemon: by a link, by a password, again after the session has ended;
// people, the own account and the audit log.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import type { NewPerson, SignedIn } from '../../protocol/person.ts';
import { startAppliance, type Appliance } from '../e2e/appliance.ts';
import { testProvider, type TestProvider } from '../support/oidc-provider.ts';
import { assertSound, NARROW, openBrowser, openPage, picture, signedIn } from '../support/browser.ts';

const PASSWORD = 'a sentence is a good one';

let appliance: Appliance;
let provider: TestProvider;
let browser: Browser;

before(async () => {
  provider = await testProvider({ sub: 'u1', preferred_username: 'ida', groups: ['all'] });
  appliance = await startAppliance(
    'signIn.oidc.name=Example ID',
    `signIn.oidc.issuer=${provider.issuer}`,
    'signIn.oidc.clientId=autocode',
    'signIn.oidc.clientSecret=oidc-client',
    'signIn.oidc.scopes=["openid","profile","groups"]',
    'signIn.oidc.roles=[{"group":"all","role":"viewer"}]',
  );
  await appliance.api('PUT', '/secrets/oidc-client', { value: 'client secret' });
  provider.serve({
    id: 'autocode',
    secret: 'client secret',
    redirectUri: `${appliance.url()}/api/v1/oidc/callback`,
  });
  browser = await openBrowser();
  await appliance.autocode('drain', 'start', '--reason', 'a test'); // tasks stay where they are
  await appliance.project('shop', { agent: 'true' });
});
after(async () => {
  await browser?.close();
  await appliance?.[Symbol.asyncDispose]();
  await provider?.stop();
});

const person = async (name: string, more: object = { role: 'operator' }) =>
  await appliance.api<NewPerson>('POST', '/people', { name, ...more });

test('a link sets a password and signs in; a mistake is told, and the link opens nothing again', async () => {
  const { link } = await person('ann');
  const watched = await openPage(browser, { colorScheme: 'dark' });
  const { page } = watched;
  await page.goto(link.url);
  await page.getByLabel('New password').fill('short');
  await page.getByLabel('The same again').fill('short');
  await page.keyboard.press('Enter');
  await page.getByText('Use at least 12 characters.').waitFor();
  await assertSound(watched);
  await picture(page, 'welcome');
  await page.getByLabel('New password').fill(PASSWORD);
  await page.getByLabel('The same again').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();
  assert.equal(new URL(page.url()).pathname + new URL(page.url()).hash, '/');

  const other = await openPage(browser);
  await other.page.goto(link.url);
  await other.page.getByLabel('New password').fill(PASSWORD);
  await other.page.getByLabel('The same again').fill(PASSWORD);
  await other.page.keyboard.press('Enter');
  await other.page.getByRole('alert').getByText('The link is unknown, used or past its time.').waitFor();
});

test('a wrong password is told; what the provider refused is told in words', async () => {
  const watched = await openPage(browser, { viewport: NARROW });
  const { page } = watched;
  await page.goto(`${appliance.url()}/?problem=no-role`);
  await page.getByText('The provider knows you, but you may not use Autocode.').waitFor();
  await page.getByLabel('Name').fill('nobody');
  await page.getByLabel('Password').fill('wrong');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('Name or password is not right.').waitFor();
  await assertSound(watched);
  await picture(page, 'sign-in');
});

test('the button of the provider signs in and leads back to where somebody was', async () => {
  const { page } = await openPage(browser);
  await page.goto(`${appliance.url()}/account`);
  await page.getByRole('link', { name: 'Sign in with Example ID' }).click();
  await page.getByRole('heading', { name: 'ida' }).waitFor();
  assert.equal(new URL(page.url()).pathname, '/account');
  assert.equal(await page.getByRole('heading', { name: 'Password' }).count(), 0);
});

test('a session that ends in mid-edit asks for the password over the page, and what was typed survives', async () => {
  const { link } = await person('bob');
  const code = link.url.split('/').at(-1);
  await appliance.api<SignedIn>('POST', '/welcomes', { code, password: PASSWORD });
  const watched = await openPage(browser);
  const { page } = watched;
  const signIn = async () => {
    await page.getByRole('textbox', { name: 'Password', exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  };
  await page.goto(`${appliance.url()}/account`);
  await page.getByLabel('Name').fill('bob');
  await signIn();
  const token = page.getByLabel('New token for');
  await token.fill('nightly report');
  await appliance.autocode('user', 'disable', 'bob');
  await appliance.autocode('user', 'enable', 'bob');
  await page.getByText('The session has ended. What you typed is still there.').waitFor();
  await assertSound(watched);
  await signIn();
  await page.getByText('The session has ended.').waitFor({ state: 'detached' });
  assert.equal(await token.inputValue(), 'nightly report');
  await page.getByRole('button', { name: 'Make', exact: true }).click();
  await page.getByLabel('Token nightly report').waitFor();
  assert.match(await page.getByLabel('Token nightly report').inputValue(), /^ac_viewer_/);
  await assertSound(watched);
  await picture(page, 'account');
});

test('an admin makes a person with the keyboard, changes what she may do, and reads who did it', async () => {
  const watched = await signedIn(appliance, browser);
  const { page } = watched;
  await page.keyboard.press('g');
  await page.keyboard.press('p');
  await page.getByRole('heading', { name: 'People' }).waitFor();
  await page.getByRole('button', { name: 'New person' }).press('Enter');
  await page.getByLabel('Name').fill('eve');
  await page.getByLabel('Email').fill('eve@example.org');
  await page.getByLabel('Role in all projects').selectOption('none');
  await page.getByLabel('shop').selectOption('operator: tasks, changes, projects');
  await assertSound(watched);
  await page.keyboard.press('Tab'); // away from the list
  await page.getByRole('button', { name: 'Make the person' }).press('Enter');
  assert.match(await page.getByLabel('Link', { exact: true }).inputValue(), /\/welcome#eve\//);
  await page.getByRole('button', { name: 'Done' }).press('Enter');
  await page.getByText('shop: operator').waitFor();
  await page.getByRole('button', { name: 'Edit eve' }).press('Enter');
  await page.getByLabel('shop').selectOption('viewer: reads');
  await page.getByRole('button', { name: 'Save' }).press('Enter');
  await page.getByText('shop: viewer').waitFor();
  await page.getByRole('rowheader', { name: 'eve eve@example.org', exact: true }).waitFor();
  await assertSound(watched);
  await picture(page, 'people');
  await page.getByRole('link', { name: 'Audit log' }).click();
  await page.getByText('PATCH /people/eve').waitFor();
  await assertSound(watched);
  await picture(page, 'audit');
});

test('a person of one project is shown that project alone, and none of what is for admins', async () => {
  await appliance.project('vault', { agent: 'true' });
  for (const project of ['shop', 'vault']) await appliance.task(project, `a task of ${project}`);
  const { link } = await person('una', { projects: { shop: 'viewer' } });
  const watched = await openPage(browser);
  const { page } = watched;
  await page.goto(link.url);
  await page.getByLabel('New password').fill(PASSWORD);
  await page.getByLabel('The same again').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByText('a task of shop').first().waitFor();
  assert.equal(await page.getByText('a task of vault').count(), 0);
  assert.equal(await page.getByRole('link', { name: 'People' }).count(), 0);
  await page.goto(`${appliance.url()}/audit`);
  await page.getByRole('alert').getByText('you may not').waitFor();
  await assertSound(watched);
});
