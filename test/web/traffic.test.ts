// Traffic and its policy in a real browser against a real daemon: hosts over time, a policy that is edited by keys and by two people,
// recorded and learnt; money over time, and on paper.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Locator, Page } from 'playwright-core';
import type { EgressPolicyChange, EgressVerdict } from '../../protocol/egress.ts';
import { aTask } from '../../orchestrator/tasks/testing/work.ts';
import { startAppliance, type Appliance } from '../e2e/appliance.ts';
import {
  assertSound,
  NARROW,
  openBrowser,
  picture,
  press,
  signedIn,
  WIDE,
  type WatchedPage,
} from '../support/browser.ts';
import { testDatabase, type TestDatabase } from '../support/database.ts';

const HOUR_MS = 3_600_000;
let db: TestDatabase;
let appliance: Appliance;
let browser: Browser;

before(async () => {
  db = await testDatabase();
  appliance = await startAppliance(`database.url=${db.url}`);
  browser = await openBrowser();
  await appliance.project('shop', { agent: 'echo 42 > answer' });
  recordTraffic();
  await spend();
});
after(async () => {
  await browser?.close();
  await appliance?.[Symbol.asyncDispose]();
  await db?.[Symbol.asyncDispose]();
});

/** Three weeks of spending by two projects, a budget, and changes that were merged. */
async function spend(): Promise<void> {
  await appliance.api('PUT', '/drain', { reason: 'a test' });
  const tasks = [await aTask(db.pool, 'shop'), await aTask(db.pool, 'shop')].map(({ id }) => id);
  await db.pool.query(
    `insert into usage_day select (now() at time zone 'UTC')::date - ago, project,
       case project when 'shop' then $1::bigint + ago % 2 else 0 end,
       'codex', 'vllm/qwen', 'w', 'ann', 'agent', 10, 1000, 400, 100, 0, money * (1 + ago % 4), 0
     from generate_series(0, 20) ago, (values ('shop', 2000000), ('billing', 900000)) spent (project, money)`,
    [tasks[0]],
  );
  await db.pool.query(
    `insert into account_day select 'project', project, day, sum(money), 0, 0 from usage_day group by project, day`,
  );
  await db.pool.query(
    `insert into run (id, task, fence, state, worker, claim_id, agent, model, isolation, deadline)
     select task || '-1', task, 1, 'succeeded', (select name from worker limit 1), gen_random_uuid(), 'a', 'm', 'directory', now()
     from unnest($1::bigint[]) task`,
    [tasks],
  );
  await db.pool.query(
    `insert into change (task, repository, run, forge, branch, base_branch, base_commit, head_commit, title, body, state, closed_at)
     select task, (select id from repository limit 1), task || '-1', 'local', 'b' || task, 'main', 'x', 'y', 't', '', 'merged',
       now() - make_interval(days => 3 * task::int)
     from unnest($1::bigint[]) task`,
    [tasks],
  );
  const budget = { scope: 'project', subject: 'shop', period: 'total', amount: 120_000_000 };
  await appliance.api('PUT', '/budgets', budget);
}

/** A day of requests to several hosts, the last of each hour refused. */
function recordTraffic(): void {
  const spool = path.join(appliance.dataDir, 'logs/traffic');
  mkdirSync(spool, { recursive: true });
  let id = 0;
  for (let hour = 23; hour >= 0; hour--) {
    const at = new Date(Date.now() - hour * HOUR_MS).toISOString();
    const record = (host: string, more: object) =>
      JSON.stringify({
        id: `r${++id}`,
        event: 'close',
        at,
        run: `${hour}-1`,
        task: hour,
        project: 'shop',
        kind: 'change',
        method: 'GET',
        scheme: 'https',
        host,
        port: 443,
        url: `https://${host}/package/${hour}`,
        decision: 'allowed',
        rule: `allow host=${host}`,
        bytesOut: 400,
        bytesIn: 25_000 * (1 + (hour % 5)),
        status: 200,
        ...more,
      });
    const lines = Array.from({ length: 12 }, (_, index) => index * (1 + (hour % 3)) + hour)
      .map((each) => record(`registry-${each % 9}.example`, {}))
      .concat(
        record('new.example', {
          decision: 'denied',
          reason: 'no-rule',
          rule: null,
          status: 403,
          allowedBy: `allow method=GET,HEAD host=new.example path=/package/${hour}`,
        }),
      );
    writeFileSync(path.join(spool, `${at.slice(0, 13)}.jsonl`), lines.map((line) => `${line}\n`).join(''));
  }
}

/** The page in both themes and sizes; it is left light and wide. */
async function soundInAll(watched: WatchedPage, name: string): Promise<void> {
  const { page } = watched;
  await assertSound(watched);
  await picture(page, `${name}-light`);
  await page.emulateMedia({ colorScheme: 'dark' });
  await assertSound(watched);
  await picture(page, `${name}-dark`);
  await page.setViewportSize(NARROW);
  await assertSound(watched);
  await picture(page, `${name}-narrow`);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(WIDE);
}

/** Moves the cursor of a plot by keys to its last moment that is told like that: an hour or day may have begun meanwhile. */
async function toLast(page: Page, plot: Locator, told: RegExp): Promise<void> {
  await plot.focus();
  await page.keyboard.press('End');
  for (let back = 0; back < 3; back++) {
    if (told.test((await plot.getAttribute('aria-valuetext')) ?? '')) return;
    await page.keyboard.press('ArrowLeft');
  }
  assert.match((await plot.getAttribute('aria-valuetext')) ?? '', told);
}

const verdictOf = async (url: string) =>
  (await appliance.api<EgressVerdict>('POST', '/egress-policy/tests', { url, project: 'shop' })).decision;

test('hosts over time are read by keys and as a table, and a moment narrows what is listed', async () => {
  const watched = await signedIn(appliance, browser);
  const { page } = watched;
  await page.goto(`${appliance.url()}/traffic`);
  const plot = page.getByRole('slider', { name: 'Traffic by host: requests' });
  await toLast(page, plot, /, new\.example 1/);
  await soundInAll(watched, 'traffic-over-time');
  await page.getByText('As a table').click();
  const rows = page.getByRole('region', { name: 'Traffic by host: requests, as a table' }).getByRole('row');
  assert.ok((await rows.count()) >= 24);
  await page.getByRole('checkbox', { name: /new\.example/ }).focus();
  await page.keyboard.press('Space');
  await toLast(page, plot, /all others [1-9]/);
  assert.doesNotMatch((await plot.getAttribute('aria-valuetext')) ?? '', /new\.example/);
  await page.keyboard.press('Enter');
  await page.getByText(/^From .* to .*At any time/).waitFor();
  const requests = page.getByRole('region', { name: 'Requests', exact: true });
  await requests.getByText('/package/0').first().waitFor();
  assert.equal(await requests.getByText('/package/7').count(), 0);
  await page.getByRole('link', { name: 'not let out' }).click();
  await page.getByRole('slider', { name: 'Traffic by host: not let out' }).waitFor();
  assert.deepEqual(watched.problems, []);
  await page.context().close();
});

test('a policy is edited by keys: mistakes stand at their lines, what changes is shown before it is applied', async () => {
  const watched = await signedIn(appliance, browser);
  const { page } = watched;
  await page.goto(`${appliance.url()}/traffic?view=policy&project=shop`);
  const rules = page.getByRole('textbox', { name: 'Rules' });
  await rules.focus();
  await page.keyboard.type('allow host=*.example path=/package/*\nallow hots=x');
  await press(page, 'Show what changes');
  await page.getByText('There is no key "hots".').waitFor();
  await assertSound(watched);
  await picture(page, 'policy-mistake');
  await press(page, 'Line 2, column 7');
  await page.keyboard.press('Shift+End');
  await page.keyboard.type('host=fine.example');
  await page.getByRole('checkbox', { name: 'npm' }).check();
  await press(page, 'Show what changes');
  const changes = page.getByRole('region', { name: 'What changes' });
  await changes.getByText('+ allow host=fine.example').waitFor();
  await changes
    .getByRole('list', { name: 'Let out from then on' })
    .getByText('https://registry-8.example/package/23')
    .waitFor();
  await soundInAll(watched, 'policy-change');
  assert.equal(await verdictOf('https://new.example/package/3'), 'deny');
  await press(page, 'Apply');
  await page.getByText(/^Version \d+ of the policy holds/).waitFor();
  assert.equal(await verdictOf('https://new.example/package/3'), 'allow');
  assert.equal(await verdictOf('https://registry.npmjs.org/left-pad'), 'allow');
  await page.getByLabel('Address').fill('https://new.example/other');
  await page.keyboard.press('Enter');
  await page.getByRole('status').getByText('not let out').waitFor();
  assert.deepEqual(watched.problems, []);
  await page.context().close();
});

test('who edits what somebody else has set meanwhile is told, keeps the text, and overwrites nothing unseen', async () => {
  const watched = await signedIn(appliance, browser);
  const { page } = watched;
  await page.goto(`${appliance.url()}/traffic?view=policy`);
  const rules = page.getByRole('textbox', { name: 'Rules' });
  await rules.fill('allow host=mine.example\n');
  await press(page, 'Show what changes');
  const changes = page.getByRole('region', { name: 'What changes' });
  await changes.getByRole('button', { name: 'Apply' }).waitFor();
  await appliance.api<EgressPolicyChange>('PUT', '/egress-policy', { text: 'allow host=theirs.example\n' });
  await page.getByText(/has set version \d+ while you edited/).waitFor();
  await press(page, 'Apply');
  await page.getByText(/^The policy is version \d+ by now/).waitFor();
  assert.equal(await rules.inputValue(), 'allow host=mine.example\n');
  assert.equal(await verdictOf('https://theirs.example/'), 'allow');
  await press(page, 'Show what changes');
  await changes.getByText('− allow host=theirs.example').waitFor();
  await assertSound(watched);
  await press(page, 'Discard');
  assert.equal(await rules.inputValue(), 'allow host=theirs.example\n');
  await page.getByText('Versions', { exact: true }).click();
  await page.getByText('+ allow host=theirs.example').waitFor();
  await assertSound(watched);
  await page.context().close();
});

test('what a project needs is recorded, learnt and applied, and a refusal is allowed where it is found', async () => {
  const watched = await signedIn(appliance, browser);
  const { page } = watched;
  await appliance.api('PUT', '/egress-policy', { project: 'shop', text: '' });
  await page.goto(`${appliance.url()}/traffic?view=policy&project=shop`);
  await press(page, 'Record …');
  await page.getByLabel('Hours').fill('2');
  await assertSound(watched);
  await picture(page, 'policy-record');
  await press(page, 'Let everything out and record');
  await press(page, 'Stop recording');
  await page.getByRole('button', { name: 'Record …' }).waitFor();
  const proposed = page.getByRole('region', { name: 'Proposed rules' });
  await proposed
    .getByRole('row', { name: /allow method=GET,HEAD host=new\.example path=\/package\/\* 24 24/ })
    .waitFor();
  await assertSound(watched);
  await picture(page, 'policy-learn');
  await press(page, 'Put 1 rule into the editor');
  await press(page, 'Show what changes');
  await press(page, 'Apply');
  await page.getByText('Nothing that was asked for needs another rule.').waitFor();
  assert.equal(await verdictOf('https://new.example/package/99'), 'allow');
  await appliance.api('PUT', '/egress-policy', { project: 'shop', text: '' });
  await page.goto(`${appliance.url()}/traffic?decision=denied`);
  await page.getByRole('link', { name: 'Allow …' }).first().click();
  const rules = page.getByRole('textbox', { name: 'Rules' });
  await page.getByRole('button', { name: 'Show what changes' }).waitFor();
  assert.equal(await rules.inputValue(), 'allow method=GET,HEAD host=new.example path=/package/0\n');
  await press(page, 'Show what changes');
  await press(page, 'Apply');
  await page.getByText(/^Version \d+ of the policy holds/).waitFor();
  assert.equal(await verdictOf('https://new.example/package/0'), 'allow');
  assert.equal(await verdictOf('https://new.example/package/1'), 'deny');
  assert.deepEqual(watched.problems, []);
  await page.context().close();
});

test('money over time, when a budget runs out, and all of it on paper', async () => {
  const watched = await signedIn(appliance, browser);
  const { page } = watched;
  await page.goto(`${appliance.url()}/money?period=30+days`);
  await page.getByRole('row', { name: /^project shop all time .* USD a day runs out/ }).waitFor();
  const plot = page.getByRole('slider', { name: 'Money by day and project in USD' });
  await toLast(page, plot, /shop 2\.00, billing 0\.90$/);
  await page.getByRole('slider', { name: 'What a merged change has cost in USD' }).waitFor();
  await soundInAll(watched, 'money-over-time');
  await page.emulateMedia({ media: 'print' });
  assert.equal(await page.getByRole('button').count(), 0);
  assert.equal(await page.getByRole('navigation').count(), 0);
  await page.getByText('Cost of a merged change').waitFor();
  await picture(page, 'money-on-paper');
  if (process.env.AUTOCODE_SCREENSHOTS !== undefined)
    await page.pdf({ path: path.join(process.env.AUTOCODE_SCREENSHOTS, 'money.pdf'), format: 'A4' });
  assert.deepEqual(watched.problems, []);
  await page.context().close();
});
