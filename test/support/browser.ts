// The web page in a real browser, against a daemon: people who sign in, and what a page must never do. Used by test/web and bench/web.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import type { NewPerson, PersonRole } from '../../protocol/person.ts';
import type { Appliance } from '../e2e/appliance.ts';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
/** A machine that does much else at the same time. */
const PATIENCE_MS = 120_000;
const PASSWORD = 'correct horse battery staple';

/** Sizes that pages are tried at. */
export const WIDE = { width: 1440, height: 900 };
export const NARROW = { width: 390, height: 844 };

/** Chromium of this machine; to be closed. */
export async function openBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
  });
}

/** A page of its own, whose errors and breaches of the policy are noted. */
export interface WatchedPage {
  page: Page;
  /** What went wrong inside so far: errors, refused scripts and styles, failed requests to the API but those of a daemon that is away. */
  problems: string[];
}

/** A page of somebody with the role, who has signed in with a password. */
export async function signedIn(
  appliance: Appliance,
  browser: Browser,
  { role = 'admin', ...options }: { role?: PersonRole } & BrowserContextOptions = {},
): Promise<WatchedPage> {
  const name = await person(appliance, role);
  const watched = await openPage(browser, options);
  const { page } = watched;
  await page.goto(appliance.url());
  await signIn(page, name);
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();
  return watched;
}

/** Fills in the sign-in that a page shows, for somebody that `signedIn` has made. */
export async function signIn(page: Page, name: string): Promise<void> {
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** A page that nobody has signed in at. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: WIDE, colorScheme: 'light', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(`error: ${error.message}`));
  page.on('console', (message) => {
    // An answer that is no success is told by the browser itself; pages show it.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      problems.push(message.text());
  });
  return { page, problems };
}

const people = new WeakMap<Appliance, Map<PersonRole, Promise<string>>>();

/** Somebody with the role who can sign in; one of each role an appliance. */
async function person(appliance: Appliance, role: PersonRole): Promise<string> {
  const known = people.get(appliance) ?? new Map<PersonRole, Promise<string>>();
  people.set(appliance, known);
  const made = known.get(role) ?? makePerson(appliance, role);
  known.set(role, made);
  return await made;
}

async function makePerson(appliance: Appliance, role: PersonRole): Promise<string> {
  const { link, person: made } = await appliance.api<NewPerson>('POST', '/people', {
    name: `the-${role}`,
    role,
  });
  const code = new URL(link.url).hash.split('/')[1];
  await appliance.api('POST', '/welcomes', { code, password: PASSWORD });
  return made.name;
}

/** What axe finds that keeps people out, in words. */
export async function seriousOf(page: Page): Promise<string[]> {
  const source = readFileSync(AXE, 'utf8');
  // By the debugger: the page's policy lets no script in that is not its own.
  await page.evaluate(source);
  const found = await page.evaluate<Violation[]>('axe.run().then(({ violations }) => violations)');
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
}

interface Violation {
  id: string;
  impact: string | null;
  nodes: { html: string }[];
}

/** Nothing went wrong inside of the page, and everybody can use it. */
export async function assertSound({ page, problems }: WatchedPage): Promise<void> {
  assert.deepEqual(await seriousOf(page), []);
  assert.deepEqual(problems, []);
}

/** Keeps a picture of the page where AUTOCODE_SCREENSHOTS names a directory. */
export async function picture(page: Page, name: string): Promise<void> {
  const directory = process.env.AUTOCODE_SCREENSHOTS;
  if (directory !== undefined)
    await page.screenshot({ path: path.join(directory, `${name}.png`), animations: 'disabled' });
}

/** The page in both themes and sizes; it is left light and wide. */
export async function soundInAll(watched: WatchedPage, name: string): Promise<void> {
  const { page } = watched;
  await assertSound(watched);
  await picture(page, `${name}-light`);
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.setViewportSize(NARROW);
  await assertSound(watched);
  await picture(page, `${name}-dark`);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(WIDE);
}

/** Presses a button as somebody does who has no mouse. */
export async function press(page: Page, name: string | RegExp): Promise<void> {
  await page.getByRole('button', { name, exact: true }).focus();
  await page.keyboard.press('Enter');
}
