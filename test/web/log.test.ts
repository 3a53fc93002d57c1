// The log of a run in a real browser: a million lines that are there, lines that come, a daemon that dies meanwhile.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, openSync, writeFileSync, constants } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { logFile } from '../../orchestrator/workers/log-store.ts';
import type { LogLines } from '../../protocol/log.ts';
import { eventually, startAppliance, type Appliance } from '../e2e/appliance.ts';
import { assertSound, NARROW, openBrowser, picture, signedIn } from '../support/browser.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';

const LINES = 1_000_000;
const TRICKS =
  '\u001b]0;a title\u0007\u001b]8;;https://evil.example\u001b\\click\u001b]8;;\u001b\\ <img src=x onerror="window.tricked=1"> \u202Etxt.exe \u001b[2J\u001b[31mred\u001b[0m';

let db: TestDatabase;
let appliance: Appliance;
let browser: Browser;
let ended: string;

before(async () => {
  db = await testDatabase();
  appliance = await startAppliance(`database.url=${db.url}`);
  browser = await openBrowser();
  await appliance.project('done', { agent: 'echo 42 > answer' });
  const task = await appliance.task('done');
  await appliance.ended(task);
  ended = `${task}-1`;
  await replaceLog(ended);
});
after(async () => {
  await browser?.close();
  await appliance?.[Symbol.asyncDispose]();
  await db?.[Symbol.asyncDispose]();
});

/** Puts a long log in the place of a run's. */
async function replaceLog(run: string): Promise<void> {
  const lines = Array.from(
    { length: LINES },
    (_, index) => `line ${index + 1} of a long log, \u001b[32mok\u001b[0m`,
  );
  lines[LINES - 3] = TRICKS;
  lines[122_999] = 'The Needle in the hay';
  const content = Buffer.from(`${lines.join('\n')}\n`);
  writeFileSync(logFile(path.join(appliance.dataDir, 'logs/worker'), run, 'raw'), content);
  const bytes = content.length;
  await db.pool.query(`update log_stream set bytes = $2 where run = $1 and stream = 'raw'`, [run, bytes]);
}

const row = (page: Page, line: number) => page.locator(`[data-line="${line}"]`);
const view = (page: Page, run: string) => page.getByRole('region', { name: `Log of run ${run}` });

test('a log of a million lines opens at its end, goes anywhere, and is searched by the server', async () => {
  const watched = await signedIn(appliance, browser);
  const { page } = watched;
  await page.goto(`${appliance.url()}/runs/${ended}/log?stream=raw`);
  await row(page, LINES).getByText(`line ${LINES} of`).waitFor();
  await page.getByText('1,000,000 lines').waitFor();
  await page.getByText('No gaps').waitFor();
  await assertSound(watched);
  await picture(page, 'log-light');

  await view(page, ended).focus();
  await page.keyboard.press('Home');
  await row(page, 1).getByText('line 1 of').waitFor();
  await page.mouse.move(700, 500);
  await page.mouse.wheel(0, 1000);
  await row(page, 80).getByText('line 80 of').waitFor();
  await view(page, ended).evaluate((element) => element.scrollTo(0, element.scrollHeight / 2));
  await row(page, 500_010).getByText('line 500010 of').waitFor();

  await page.keyboard.press('/');
  await page.keyboard.type('the needle in');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'The Needle in the hay' }).click();
  await row(page, 123_000).getByText('The Needle in the hay').waitFor();
  await page.waitForURL(/line=123000/);
  await page.emulateMedia({ colorScheme: 'dark' });
  await assertSound(watched);
  await picture(page, 'log-search-dark');
  await page.reload();
  await row(page, 123_000).getByText('The Needle in the hay').waitFor();
  await page.setViewportSize(NARROW);
  await page.keyboard.press('G');
  await row(page, LINES).waitFor();
  await assertSound(watched);
  await page.context().close();
});

test('what a program prints is text: no title, no link, no markup, nothing turned round', async () => {
  const watched = await signedIn(appliance, browser, { role: 'viewer' });
  const { page } = watched;
  await page.goto(`${appliance.url()}/runs/${ended}/log?stream=raw`);
  const line = row(page, LINES - 2);
  await line.getByText('<img src=x').waitFor();
  assert.equal(
    (await line.textContent())?.replace(String(LINES - 2), ''),
    'click <img src=x onerror="window.tricked=1"> ‹202E›txt.exe red',
  );
  assert.equal(await line.locator('a, img').count(), 0);
  assert.equal(await page.title(), `Log of ${ended} · Autocode`);
  assert.equal(await page.evaluate('window.tricked'), undefined);
  await assertSound(watched);
  await page.context().close();
});

test('lines come as they are printed; over a pause and a daemon that is killed none is missing or doubled', async () => {
  const pipe = path.join(appliance.directory, 'lines');
  execFileSync('mkfifo', [pipe]);
  await appliance.project('live', { agent: `cat ${pipe}; echo 42 > answer` });
  const task = await appliance.task('live');
  // Both ends at once, so that neither side waits for the other to begin.
  const printer = createWriteStream('', { fd: openSync(pipe, constants.O_RDWR) });
  let printed = 0;
  const print = async (count: number) => {
    const text = Array.from({ length: count }, () => `print ${++printed}\n`).join('');
    if (!printer.write(text)) await once(printer, 'drain');
  };
  const run = `${task}-1`;
  try {
    await eventually(
      async () => (await appliance.runs(task))[0]?.state === 'working' || undefined,
      'the agent',
    );
    const { page } = await signedIn(appliance, browser);
    await page.goto(`${appliance.url()}/runs/${run}/log?stream=raw`);
    await print(3);
    await row(page, 3).getByText('print 3').waitFor();
    await print(500);
    await row(page, 503).getByText('print 503').waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await print(200);
    await page.getByText('703 lines').waitFor();
    assert.equal(await row(page, 703).count(), 0, 'it stays where it was');
    process.kill(appliance.daemonPid(), 'SIGKILL');
    await print(300);
    await page.getByText('Reconnecting; it goes on').waitFor();
    await appliance.up();
    await page.getByText('1,003 lines').waitFor();
    await page.getByRole('button', { name: 'Follow' }).click();
    await row(page, 1003).getByText('print 1003').waitFor();
    await print(7);
    await row(page, 1010).getByText('print 1010').waitFor();
    for (const first of [1003, 640, 250, 1]) {
      await page.getByRole('button', { name: /Pause|Follow/ }).waitFor();
      await view(page, run).evaluate((element, top) => element.scrollTo(0, top), (first - 1) * 20);
      await row(page, first).getByText(`print ${first}`).waitFor();
      const seen = await page
        .locator('[data-line]')
        .evaluateAll((rows) => rows.map((each) => each.textContent!.replace(/^\d+/, '')));
      const begins = Number(await page.locator('[data-line]').first().getAttribute('data-line'));
      for (const [index, text] of seen.entries())
        if (text !== '') assert.equal(text, `print ${begins + index}`);
    }
    await page.getByText('No gaps').waitFor();
    await page.context().close();
  } finally {
    printer.end();
    await once(printer, 'close');
  }
  assert.equal((await appliance.ended(task)).state, 'completed');
  const { total, state } = await appliance.api<LogLines>('GET', `/runs/${run}/logs/raw/lines?limit=1`);
  assert.deepEqual([total, state], [1010, 'complete']);
});
