// From an empty appliance to a completed first task in a real browser, by the page alone; and the page of a project: made, changed by
// two at once, removed; and a forge that is removed.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { scriptedModel } from '../../orchestrator/models/conformance/testing/scripted-model.ts';
import { fakeEngine, sendBody, type FakeEngine } from '../../orchestrator/models/testing/fake-engine.ts';
import type { Project } from '../../protocol/project.ts';
import type { Settings } from '../../protocol/settings.ts';
import type { Task } from '../../protocol/task.ts';
import { eventually, makeRepository, startAppliance, type Appliance } from '../e2e/appliance.ts';
import { assertSound, openBrowser, picture, signedIn, soundInAll } from '../support/browser.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';
import { startFakeGitHub, type FakeGitHub } from '../support/fake-github.ts';

const KEY = 'key-of-the-engine';
const FILES = { check: 'test "$(cat answer)" = 42\n', answer: '41\n', Makefile: 'test:\n\tsh ./check\n' };
let db: TestDatabase;
let appliance: Appliance;
let browser: Browser;
let engine: FakeEngine;
let forge: FakeGitHub;

before(async () => {
  db = await testDatabase();
  forge = await startFakeGitHub();
  await forge.addRepository('acme/shop');
  engine = await fakeEngine();
  const answer = scriptedModel();
  engine.answers((response, seen) => {
    if (seen.headers.authorization === `Bearer ${KEY}`) return answer(response, seen);
    sendBody(response, 401, { error: { message: 'this key is not known', type: 'authentication_error' } });
  });
  appliance = await startAppliance(`database.url=${db.url}`);
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await appliance?.[Symbol.asyncDispose]();
  await engine?.[Symbol.asyncDispose]();
  await forge?.[Symbol.asyncDispose]();
  await db?.[Symbol.asyncDispose]();
});

const part = (page: Page, name: string) => page.getByRole('region', { name, exact: true });

/** Describes the engine; the daemon is not started anew. */
async function addEngine(page: Page, key: string): Promise<void> {
  const form = part(page, 'Connect a model').locator('form');
  await form.getByLabel('Address').fill(`${engine.url}/v1`);
  await form.getByLabel('Name', { exact: true }).fill('own');
  await form.getByLabel('API key').fill(key);
  await form.getByLabel('Models').fill('acme/small');
  await page.getByRole('button', { name: 'Add the engine' }).click();
  await page.getByText('own is in the configuration.').waitFor();
}

test('whoever may only look is not led through the first steps', async () => {
  const viewer = await signedIn(appliance, browser, { role: 'viewer' });
  await viewer.page.getByText('No tasks yet').waitFor();
  assert.equal(await viewer.page.getByText('Set this appliance up').count(), 0);
  await viewer.page.goto(`${appliance.url()}/projects`);
  await viewer.page.getByText('No projects yet').waitFor();
  assert.equal(await viewer.page.getByRole('main').getByRole('button').count(), 0);
  await viewer.page.goto(`${appliance.url()}/first-run`);
  await viewer.page.getByText('An admin sets the appliance up').waitFor();
  await assertSound(viewer);
  await viewer.page.context().close();
});

test('an admin is led from the empty board over model, forge and project to a completed task', async () => {
  const watched = await signedIn(appliance, browser);
  const { page } = watched;
  await page.getByText('Set this appliance up').waitFor();
  await soundInAll(watched, 'first-run-offer');
  await page.getByRole('link', { name: 'Begin' }).click();

  await addEngine(page, 'another-key');
  await part(page, 'Restart').getByText('models.default, models.engines wait for a restart').waitFor();
  await soundInAll(watched, 'first-run-model');
  await page.getByRole('button', { name: 'Restart the daemon' }).click();
  await page.getByRole('list', { name: 'Models' }).getByText('own/small').waitFor();
  await page.getByRole('button', { name: 'Test own/small' }).click();
  await page
    .getByText(/this key is not known|refuses|401/)
    .first()
    .waitFor();
  await assertSound(watched);
  await picture(page, 'first-run-model-refused');
  const { keys, file } = await appliance.api<Settings>('GET', '/settings');
  assert.equal(keys.find((key) => key.path === 'models.default')?.value, 'own/small');
  assert.ok(!JSON.stringify(keys).includes('another-key'), `the key of the engine is not in ${file}`);
  await page.getByText('Another server or API').click();
  await addEngine(page, KEY);

  await page.getByRole('link', { name: /Connect a forge/ }).click();
  const connect = async (token: string) => {
    await page.getByLabel('Address').fill(forge.url);
    await page.getByLabel('Access token').fill(token);
    await page.getByRole('button', { name: 'Connect it' }).click();
  };
  await connect('no-token-of-anybody');
  await page.getByText('Another token for the same address').waitFor();
  await soundInAll(watched, 'first-run-forge');
  await page.getByText('Another forge, or another token').click();
  await connect(forge.token);
  await page.getByText('Its token may push to one repository, as acme/shop.').waitFor();

  await page.getByRole('link', { name: /Connect a model/ }).click();
  // The gateway reads the key of an engine anew within seconds.
  await eventually(
    async () => {
      if ((await page.getByText('It does what an agent needs.').count()) > 0) return true;
      const again = page.getByRole('button', { name: 'Test own/small' });
      if (await again.isEnabled({ timeout: 1 }).catch(() => false)) await again.click();
      return undefined;
    },
    'the model to pass its test',
    180_000,
  );
  await assertSound(watched);
  await page.getByRole('button', { name: 'Go on: connect a forge' }).click();
  await page.getByRole('button', { name: 'Go on: make a project' }).click();

  const repository = makeRepository(path.join(appliance.directory, 'first'), FILES);
  await page.getByLabel('Repository', { exact: true }).fill(`${repository}-gone`);
  await page.getByRole('button', { name: 'Look at it' }).click();
  await page.getByText(/There is nothing at/).waitFor();
  await page.getByLabel('Repository', { exact: true }).fill(repository);
  await page.keyboard.press('Enter');
  await page.getByText('it is merged from here').waitFor();
  assert.equal(await page.getByLabel('Command of check 1').inputValue(), 'make test');
  assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'first');
  await page.getByLabel('Agent', { exact: true }).selectOption('command');
  await page.getByLabel('Program of the agent').fill('sh\n-c\necho 42 > answer');
  await page.getByLabel('Runs are confined by').selectOption('directory');
  await page.getByLabel('I trust this project').check();
  await soundInAll(watched, 'first-run-project');
  await page.getByRole('button', { name: 'Make the project' }).click();
  await page.getByRole('button', { name: 'Go on: agent and worker' }).click();

  await part(page, 'Workers').getByText('online').waitFor();
  await page.getByText('autocode agent install qwen-coder').waitFor();
  await page.getByRole('button', { name: 'Invite another machine' }).click();
  await page.getByText('This orchestrator does not speak TLS to workers.').waitFor();
  await soundInAll(watched, 'first-run-worker');
  await page.getByRole('button', { name: 'Skip this step' }).click();

  assert.equal(await page.getByLabel('Title').inputValue(), 'Describe the repository in OVERVIEW.md');
  await part(page, 'Preview').getByText('command').waitFor();
  await soundInAll(watched, 'first-run-task');
  await page.getByRole('button', { name: 'Give the task' }).click();
  await page.waitForURL(/\/tasks\/\d+$/);
  await page.getByText('completed', { exact: true }).waitFor();
  const [task] = await appliance.api<Task[]>('GET', '/tasks');
  assert.equal(task!.state, 'completed');
  await page.keyboard.press('Control+k');
  await page.getByLabel('Find a page or a task').fill('First st');
  await page.getByRole('option', { name: 'First steps' }).click();
  await page.getByText('All of them are done or skipped.').waitFor();
  assert.deepEqual(watched.problems, []);
  await page.context().close();
});

test('a project is shown with where its settings come from, and changed without overwriting another editor', async () => {
  await appliance.project('shop', { agent: 'true' });
  const watched = await signedIn(appliance, browser);
  const { page } = watched;
  const toProjects = async () =>
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Projects' }).click();
  await toProjects();
  await page.getByRole('row', { name: /^shop .*command/ }).waitFor();
  await soundInAll(watched, 'projects');
  await page.getByRole('button', { name: 'New project' }).click();
  await page.getByLabel('There is none yet').check();
  await page.getByLabel('Name', { exact: true }).fill('fresh');
  await page.getByRole('button', { name: 'Make the project' }).click();
  await page.waitForURL(/\/projects\/fresh$/);
  await part(page, 'Repositories').getByText('hosted here').first().waitFor();
  await toProjects();
  await page.getByLabel('Words of a project').fill('nothing like it');
  await page.getByText('No project has these words').waitFor();
  await page.getByLabel('Words of a project').fill('sho');
  await page.getByRole('link', { name: 'shop', exact: true }).click();
  await part(page, 'Limits of a run').getByText('installation').first().waitFor();
  await soundInAll(watched, 'project');

  await page.getByRole('button', { name: 'Edit …' }).click();
  await page.getByLabel('Iterations').fill('7');
  await page.getByLabel('It has quiet hours of its own').check();
  await page.getByRole('button', { name: 'Add quiet hours' }).click();
  await soundInAll(watched, 'project-edit');
  await appliance.api('PATCH', '/projects/shop', { limits: { maxIterations: 2 } });
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const changed = part(page, 'Changed meanwhile');
  await changed.getByText('{"maxIterations":2}').waitFor();
  assert.deepEqual((await appliance.api<Project>('GET', '/projects/shop')).limits, { maxIterations: 2 });
  await assertSound(watched);
  await changed.getByRole('button', { name: 'Save mine over it' }).click();
  await part(page, 'Order of work')
    .getByText(/22:00–06:00/)
    .waitFor();
  assert.deepEqual((await appliance.api<Project>('GET', '/projects/shop')).limits, { maxIterations: 7 });

  await page.getByRole('button', { name: 'Change what models it may use' }).click();
  await page.getByLabel('Models outside of the appliance').check();
  await assertSound(watched);
  await page.keyboard.press('Enter');
  await part(page, 'Models').getByText('also models outside of the appliance').waitFor();

  await page.getByRole('button', { name: 'Bind a secret' }).click();
  await page.getByLabel('Secret', { exact: true }).fill('npm-token');
  await page.getByLabel('Value').fill('a-value-that-nobody-sees');
  await page.getByLabel('Host').fill('registry.example.com');
  await page.getByLabel('Variable').fill('NPM_TOKEN');
  await assertSound(watched);
  await page.keyboard.press('Enter');
  await part(page, 'Secrets').getByText('registry.example.com').waitFor();
  assert.ok(!(await page.content()).includes('a-value-that-nobody-sees'));

  const viewer = await signedIn(appliance, browser, { role: 'viewer' });
  await viewer.page.goto(`${appliance.url()}/projects/shop`);
  await part(viewer.page, 'Order of work')
    .getByText(/22:00–06:00/)
    .waitFor();
  assert.equal(await viewer.page.getByRole('main').getByRole('button').count(), 0);
  await assertSound(viewer);

  await page.getByRole('button', { name: 'Remove …' }).click();
  await page.getByText('Its tasks, runs, changes and costs stay').waitFor();
  await assertSound(watched);
  assert.ok(await page.getByRole('button', { name: 'Remove the project' }).isDisabled());
  await page.getByLabel('Type shop to go on').fill('shop');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/projects$/);
  await page.getByRole('link', { name: 'shop', exact: true }).waitFor({ state: 'detached' });

  await appliance.api('POST', '/projects', { name: 'pulls', repository: `${forge.url}/acme/shop.git` });
  const { host } = new URL(forge.url);
  const remove = page.getByRole('button', { name: `Remove ${host.replace(':', '-')}` });
  await remove.click();
  const user = page.getByRole('list', { name: 'What uses it' }).getByRole('link', { name: 'Project pulls' });
  await user.waitFor();
  await soundInAll(watched, 'forge-in-use');
  await user.click();
  await page.getByRole('button', { name: 'Remove …' }).click();
  await page.getByLabel('Type pulls to go on').fill('pulls');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/projects$/);
  await remove.click();
  await page.getByText(`webhook-${host.replace(':', '-')}`).waitFor();
  await assertSound(watched);
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await remove.waitFor({ state: 'detached' });
  assert.deepEqual(await appliance.api('GET', '/forges'), []);
  assert.deepEqual([...watched.problems, ...viewer.problems], []);
  for (const each of [viewer.page, page]) await each.context().close();
});
