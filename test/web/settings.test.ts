// The page of the settings, in a real browser against a real daemon: what is changed there is in the file, and holds after a restart.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { startAppliance, type Appliance } from '../e2e/appliance.ts';
import { assertSound, NARROW, openBrowser, picture, signedIn, WIDE } from '../support/browser.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';

let db: TestDatabase;
let appliance: Appliance;
let browser: Browser;
const file = () => path.join(appliance.dataDir, 'config/autocode.yaml');
const read = () => readFileSync(file(), 'utf8');

before(async () => {
  db = await testDatabase();
  appliance = await startAppliance(`database.url=${db.url}`, 'worker.local=false');
  browser = await openBrowser();
  mkdirSync(path.dirname(file()), { recursive: true });
});
after(async () => {
  await browser?.close();
  await appliance?.[Symbol.asyncDispose]();
  await db?.[Symbol.asyncDispose]();
});

test('settings are searched, changed, corrected, saved with the comments of the file, and hold after a restart', async () => {
  writeFileSync(file(), '# the shop\nlog:\n  level: info # quiet\n');
  const watched = await signedIn(appliance, browser);
  const { page } = watched;
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Settings' }).click();
  const search = page.getByLabel('Search the settings');
  await search.fill('body seconds');
  const seconds = page.getByLabel('api.bodySeconds', { exact: true });
  await seconds.fill('5000');
  await search.fill('');
  assert.ok(await page.getByLabel('database.url', { exact: true }).isDisabled());
  await page.getByLabel('log.level', { exact: true }).selectOption('debug');
  const engines = page.getByLabel('models.engines', { exact: true });
  await engines.fill('- kind: [');
  const bar = page.getByRole('region', { name: 'Not saved' });
  const review = bar.getByRole('button', { name: 'Review and save' });
  assert.ok(await review.isDisabled());
  await engines.fill('');
  await review.click();
  await page.getByRole('dialog', { name: 'What is saved' }).getByText('info → debug').waitFor();
  await picture(page, 'settings-review');
  await page.getByRole('button', { name: 'Save', exact: true }).press('Enter');
  await bar.getByRole('link', { name: 'api.bodySeconds' }).click();
  assert.equal(await seconds.getAttribute('aria-invalid'), 'true');
  assert.equal(read(), '# the shop\nlog:\n  level: info # quiet\n');
  await assertSound(watched);
  await picture(page, 'settings-mistake');

  await seconds.fill('45');
  await review.click();
  await page.getByRole('button', { name: 'Save', exact: true }).press('Enter');
  await bar.waitFor({ state: 'detached' });
  assert.equal(read(), '# the shop\nlog:\n  level: debug # quiet\napi:\n  bodySeconds: 45\n');
  const waiting = page.getByRole('region', { name: 'Restart' });
  await waiting.getByText('api.bodySeconds, log.level').waitFor();
  await picture(page, 'settings');
  await waiting.getByRole('button', { name: 'Restart the daemon' }).click();
  await waiting.waitFor({ state: 'detached' });
  assert.equal(await seconds.inputValue(), '45');

  await page.emulateMedia({ colorScheme: 'dark' });
  await page.setViewportSize(NARROW);
  await seconds.fill('46');
  await assertSound(watched);
  await picture(page, 'settings-narrow-dark');
  await page.setViewportSize(WIDE);
  await picture(page, 'settings-dark');
});

test('what is not saved outlives the session, is asked about, and is not written over what others have changed', async () => {
  const watched = await signedIn(appliance, browser);
  const { page } = watched;
  await page.goto(`${appliance.url()}/settings#agents.default`);
  const agent = page.getByLabel('agents.default', { exact: true });
  await agent.fill('aider');
  await page.getByRole('link', { name: 'Board' }).click();
  await page
    .getByRole('dialog', { name: 'Leave without saving?' })
    .getByRole('button', { name: 'Stay' })
    .click();
  await appliance.autocode('config', 'set', 'agents.default', 'opencode');
  const bar = page.getByRole('region', { name: 'Not saved' });
  const save = async () => {
    await bar.getByRole('button', { name: 'Review and save' }).click();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
  };
  await save();
  await bar.getByText('you have changed it too').waitFor();
  assert.match(read(), /default: opencode/);
  await assertSound(watched);
  await picture(page, 'settings-conflict');

  await page.context().clearCookies();
  await save();
  await page.getByLabel('Password', { exact: true }).fill('correct horse battery staple');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  assert.equal(await agent.inputValue(), 'aider');
  await save();
  await bar.waitFor({ state: 'detached' });
  assert.match(read(), /default: aider/);
  await page.getByRole('button', { name: 'Reset to default agents.default' }).click();
  await save();
  await bar.waitFor({ state: 'detached' });
  assert.doesNotMatch(read(), /agents/);
});
