// The page's log: a million lines opened at their end and scrolled, and how long a line takes from an agent to the screen.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { constants, openSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { logFile } from '../orchestrator/workers/log-store.ts';
import { eventually, startAppliance } from '../test/e2e/appliance.ts';
import { openBrowser, signedIn } from '../test/support/browser.ts';
import { testDatabase } from '../test/support/database.ts';
import { report } from './report.ts';

const LINES = 1_000_000;
const STEP_PX = 600;
const FRAMES = 1_500;
const PRINTED = 150;

await using db = await testDatabase();
await using appliance = await startAppliance(`database.url=${db.url}`);
await appliance.project('long', { agent: 'echo 42 > answer' });
const long = `${await appliance.task('long')}-1`;
await appliance.ended(Number(long.split('-')[0]));
const text = Array.from(
  { length: LINES },
  (_, n) => `12:00:00 \u001b[32mline ${n + 1}\u001b[0m of what a program prints\n`,
);
const content = Buffer.from(text.join(''));
writeFileSync(logFile(path.join(appliance.dataDir, 'logs/worker'), long, 'raw'), content);
await db.pool.query(`update log_stream set bytes = $2 where run = $1 and stream = 'raw'`, [
  long,
  content.length,
]);

const browser = await openBrowser();
try {
  const { page, problems } = await signedIn(appliance, browser);
  const openMs = await open(page);
  const scrolled = await scroll(page);
  const delays = await printedToSeen(page);
  delays.sort((one, other) => one - other);
  console.log(JSON.stringify({ openMs, scrolled, delays: { least: delays[0], most: delays.at(-1) } }));
  assert.deepEqual(problems, []);
  report('web-log', [
    {
      name: `a log of ${LINES} lines is seen at its end, the first time`,
      value: openMs,
      unit: 'ms',
      atMost: 1500,
    },
    { name: 'longest task while it scrolls', value: scrolled.longestTaskMs, unit: 'ms', atMost: 50 },
    { name: 'script a frame', value: scrolled.scriptMs, unit: 'ms', atMost: 8 },
    { name: 'heap after that', value: scrolled.heapMb, unit: 'MB', atMost: 200 },
    {
      name: "an agent's line until it is drawn, p95",
      value: delays[Math.floor(delays.length * 0.95)]!,
      unit: 'ms',
      atMost: 300,
    },
  ]);
} finally {
  await browser.close();
}

async function open(page: Page): Promise<number> {
  await page.goto(`${appliance.url()}/review`); // the page itself is loaded
  const began = performance.now();
  await page.goto(`${appliance.url()}/runs/${long}/log?stream=raw`);
  await page.locator(`[data-line="${LINES}"]`).getByText(`line ${LINES}`).waitFor();
  return performance.now() - began;
}

/** Scrolls upwards, a step a frame, now and then a hundredth of the log at once. */
async function scroll(page: Page): Promise<{ longestTaskMs: number; scriptMs: number; heapMb: number }> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable');
  const metric = async (name: string) =>
    (await cdp.send('Performance.getMetrics')).metrics.find((each) => each.name === name)?.value ?? 0;
  const before = await metric('ScriptDuration');
  const longestTaskMs = await page.evaluate<number>(`new Promise((resolve) => {
    let longest = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
    }).observe({ type: 'longtask' });
    const box = document.querySelector('[role="region"][aria-label^="Log of"]');
    let frames = 0;
    const step = () => {
      box.scrollTop -= frames % 15 === 0 ? box.scrollHeight / 100 : ${STEP_PX};
      if (++frames === ${FRAMES}) resolve(longest);
      else requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  })`);
  const scriptMs = ((await metric('ScriptDuration')) - before) * 1000;
  await cdp.send('HeapProfiler.collectGarbage');
  return { longestTaskMs, scriptMs: scriptMs / FRAMES, heapMb: (await metric('JSHeapUsedSize')) / 1e6 };
}

/** Milliseconds from the moment that an agent prints a line until the frame that shows it is drawn. */
async function printedToSeen(page: Page): Promise<number[]> {
  const pipe = path.join(appliance.directory, 'lines');
  execFileSync('mkfifo', [pipe]);
  await appliance.project('live', {
    agent: `while IFS= read -r line; do echo "$line"; [ "$line" != end ] || break; done < ${pipe}; echo 42 > answer`,
  });
  const task = await appliance.task('live');
  await eventually(
    async () => (await appliance.runs(task))[0]?.state === 'working' || undefined,
    'the agent',
  );
  const fd = openSync(pipe, constants.O_RDWR);
  await page.goto(`${appliance.url()}/runs/${task}-1/log?stream=raw`);
  writeSync(fd, 'ready\n');
  await page.locator('[data-line="1"]').getByText('ready').waitFor();
  await page.evaluate(`window.seen = [];
    new MutationObserver(() => {
      const last = [...document.querySelectorAll('[data-line]')].at(-1)?.textContent ?? '';
      const line = Number(/printed (\\d+)/.exec(last)?.[1] ?? -1);
      for (let n = window.seen.length; n <= line; n++) {
        window.seen[n] = 0;
        requestAnimationFrame(() => setTimeout(() => { window.seen[n] = performance.timeOrigin + performance.now(); }));
      }
    }).observe(document.querySelector('[role="region"][aria-label^="Log of"]'), { subtree: true, childList: true, characterData: true });`);
  const printed: number[] = [];
  for (let n = 0; n < PRINTED; n++) {
    printed.push(performance.timeOrigin + performance.now());
    writeSync(fd, `printed ${n}\n`);
    await delay(60 + (n % 7) * 10);
  }
  await page.waitForFunction(`window.seen.length === ${PRINTED} && window.seen.every((at) => at > 0)`);
  const seen = await page.evaluate<number[]>('window.seen');
  writeSync(fd, 'end\n');
  await appliance.ended(task);
  return seen.map((at, n) => at - printed[n]!);
}
