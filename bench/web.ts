// The page: what a first load takes, and what ten thousand tasks cost while one scrolls through them.
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { startAppliance } from '../test/e2e/appliance.ts';
import { testDatabase } from '../test/support/database.ts';
import { openBrowser, signedIn } from '../test/support/browser.ts';
import { report } from './report.ts';

const TASKS = 10_000;
const LOADS = 5;
const STEP_PX = 600;

await using db = await testDatabase();
await using appliance = await startAppliance(`database.url=${db.url}`, 'worker.local=false');
await appliance.project('shop', { agent: 'true' });
await db.pool.query(
  `insert into task (project, title, body, agent, model, state, order_key, created_by, created_at)
     select 1, 'Task number ' || n || ' of many, with a title as long as titles are', '', 'command', '', 'queued',
       now() + n * interval '1 second', 'bench', now() from generate_series(1, $1::int) n`,
  [TASKS],
);
const browser = await openBrowser();
try {
  const { page, problems } = await signedIn(appliance, browser);
  const loads = [];
  for (let i = 0; i < LOADS; i++) loads.push(await load(page));
  loads.sort((a, b) => a.interactiveMs - b.interactiveMs);
  const scrolled = await scroll(page);
  console.log(JSON.stringify({ loads, scrolled }));
  assert.deepEqual(problems, []);
  report('web', [
    { name: 'first load, JavaScript as sent', value: loads[0]!.scriptKb, unit: 'KB', atMost: 250 },
    { name: 'interactive, median', value: loads[LOADS >> 1]!.interactiveMs, unit: 'ms', atMost: 1000 },
    {
      name: `longest task while ${TASKS} tasks scroll`,
      value: scrolled.longestTaskMs,
      unit: 'ms',
      atMost: 50,
    },
    { name: 'script a frame', value: scrolled.scriptMs, unit: 'ms', atMost: 8 },
    { name: 'heap with all tasks loaded', value: scrolled.heapMb, unit: 'MB', atMost: 200 },
  ]);
} finally {
  await browser.close();
}

/** Loads the board with an empty cache. */
async function load(page: Page): Promise<{ scriptKb: number; interactiveMs: number }> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Network.clearBrowserCache');
  await cdp.detach();
  const sizes: Promise<number>[] = [];
  const count = (response: Awaited<ReturnType<Page['waitForResponse']>>) => {
    if (new URL(response.url()).pathname.endsWith('.js')) {
      sizes.push(
        response
          .request()
          .sizes()
          .then(({ responseBodySize }) => responseBodySize),
      );
    }
  };
  page.on('response', count);
  const began = performance.now();
  await page.goto(appliance.url());
  await page.getByRole('link', { name: /^Task number 1 / }).waitFor();
  const interactiveMs = performance.now() - began;
  page.off('response', count);
  const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  return { scriptKb: bytes / 1024, interactiveMs };
}

/** Scrolls the queue from its first task to its last, a step a frame. */
async function scroll(
  page: Page,
): Promise<{ frames: number; longestTaskMs: number; scriptMs: number; heapMb: number }> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable');
  const metric = async (name: string) =>
    (await cdp.send('Performance.getMetrics')).metrics.find((each) => each.name === name)?.value ?? 0;
  const before = await metric('ScriptDuration');
  const { frames, longest } = await page.evaluate<{
    frames: number;
    longest: number;
  }>(`new Promise((resolve) => {
    let longest = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
    }).observe({ type: 'longtask' });
    const box = document.querySelector('[data-column="queued"]');
    let frames = 0;
    const step = () => {
      frames += 1;
      box.scrollTop += ${STEP_PX};
      const last = box.querySelector('li[aria-posinset="${TASKS}"]');
      if (last !== null) resolve({ frames, longest });
      else requestAnimationFrame(step);
    };
    step();
  })`);
  const scriptMs = ((await metric('ScriptDuration')) - before) * 1000;
  await cdp.send('HeapProfiler.collectGarbage');
  return {
    frames,
    longestTaskMs: longest,
    scriptMs: scriptMs / frames,
    heapMb: (await metric('JSHeapUsedSize')) / 1e6,
  };
}
