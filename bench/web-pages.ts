// Two hundred open pages at a hundred events a second: what they cost the daemon, and whether each is told everything once.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { NewPerson } from '../protocol/person.ts';
import { connect } from '../orchestrator/db/connect.ts';
import { startPostgres } from '../orchestrator/db/supervisor.ts';
import { beginSession } from '../orchestrator/people/sessions.ts';
import { startAppliance } from '../test/e2e/appliance.ts';
import { openBrowser } from '../test/support/browser.ts';
import { fillBoard, keepBusy } from './support/busy-organisation.ts';
import { openPageOf, recordPages, type Asked, type OpenPage } from './support/open-pages.ts';
import { percentile, pssMb } from './support/measure.ts';
import { cpuMs } from './support/processes.ts';
import { report } from './report.ts';

const PER_SECOND = 100;
const ENDED = 5_000;
const RUNNING = 100;
const PROJECTS = ['shop', 'billing', 'store', 'report'];
const PEOPLE = 20;
/** So many of them may look at all projects; the others at the first one alone, whose boards they have open. */
const ALL_PROJECTS = 16;
const personOf = (path: string, n: number) => n % (path === '/' ? PEOPLE : ALL_PROJECTS);
const RECORD = { settleMs: 6_000, ms: Number(process.argv[2] ?? 20) * 1000 };
const MEASURE_MS = Number(process.argv[3] ?? 30) * 1000;
const IDLE_MS = 10_000;
const AT_ONCE = 25;
/** How many of the pages show what. */
const PAGES = (task: number): Record<string, number> => ({
  '/': 100,
  [`/tasks/${task}`]: 50,
  '/review': 15,
  '/fleet': 10,
  '/money': 10,
  '/intake': 10,
  '/incidents': 5,
});

const directory = mkdtempSync(join(tmpdir(), 'autocode-bench-pages-'));
const postgres = await startPostgres({ cluster: join(directory, 'cluster') });
try {
  await using appliance = await startAppliance(`database.url=${postgres.url}`, 'worker.local=false');
  for (const project of PROJECTS) await appliance.project(project, { agent: 'true' });
  const db = connect({ url: postgres.url, poolSize: 4 });
  const stop = new AbortController();
  const running = await fillBoard(db, ENDED, RUNNING);
  const cookies = await signIn();
  const busy = keepBusy(db, { running, projects: PROJECTS, perSecond: PER_SECOND }, stop.signal);
  const pages: OpenPage[] = [];
  try {
    const { rows } = await db.query<{ id: number }>(
      `select id from task where state = 'running' and project = 1`,
    );
    const kinds = PAGES(rows[0]!.id);
    const recordings = await record(Object.keys(kinds));
    await delay(5_000);
    const without = await measured(IDLE_MS, pages);
    console.error('without pages', without);
    const shown = Object.entries(kinds).flatMap(([path, count]) => Array.from({ length: count }, () => path));
    for (let first = 0; first < shown.length; first += AT_ONCE)
      pages.push(
        ...(await Promise.all(
          shown.slice(first, first + AT_ONCE).map(async (path, n) => {
            const place = { loopMs: RECORD.ms, offsetMs: ((first + n) * 7919) % RECORD.ms };
            return await openPageOf(
              appliance.url(),
              cookies[personOf(path, first + n)]!,
              recordings.get(path)!,
              place,
            );
          }),
        )),
      );
    await delay(5_000);
    console.error(`${pages.length} pages are open`);
    const withPages = await measured(MEASURE_MS, pages);
    console.error('with pages', withPages);
    stop.abort();
    await busy;
    await delay(2_000); // for what is on its way
    await assertEachOnce(pages, shown);
    const delays = pages.flatMap((page) => page.delays);
    const refused = pages.flatMap((page) => page.refused);
    if (refused.length > 0) console.error(refused.slice(0, 5));
    console.log(
      JSON.stringify({
        without,
        withPages,
        delayMs: { p50: percentile(delays, 0.5), p95: percentile(delays, 0.95) },
      }),
    );
    report('web-pages', [
      { name: 'events a second', value: withPages.events, unit: '1/s', atLeast: PER_SECOND * 0.95 },
      {
        name: 'processor of the daemon for 200 pages',
        value: withPages.daemon - without.daemon,
        unit: '%',
        atMost: 20,
      },
      {
        name: 'memory of the daemon for 200 pages, most',
        value: withPages.mb - without.mb,
        unit: 'MB',
        atMost: 100,
      },
      { name: 'requests that were refused', value: refused.length, unit: '', atMost: 0 },
    ]);
  } finally {
    stop.abort();
    await busy;
    for (const page of pages) page.stop();
    await db.end();
  }

  /** A session for each of the people. */
  async function signIn(): Promise<string[]> {
    const sessions = [];
    for (let n = 0; n < PEOPLE; n++) {
      const { person } = await appliance.api<NewPerson>('POST', '/people', {
        name: `person-${n}`,
        ...(n < ALL_PROJECTS ? { role: 'operator' } : { projects: { shop: 'viewer' } }),
      });
      const origin = { address: '127.0.0.1', userAgent: 'bench' };
      const cookie = await beginSession(db, person.id, 'password', origin, {
        sessionDays: 1,
        idleMinutes: 60,
      });
      sessions.push(`autocode_session=${cookie}`);
    }
    return sessions;
  }

  async function record(paths: string[]): Promise<Map<string, Asked[]>> {
    const browser = await openBrowser();
    try {
      const recordings = await recordPages(appliance, browser, paths, RECORD);
      for (const [path, asked] of recordings) {
        const kinds = Object.entries(Object.groupBy(asked, (each) => each.path.replace(/\?.*/, '')));
        const told = kinds
          .map(([name, all = []]) => `${all.length} ${name.replace('/api/v1', '')}`)
          .join(', ');
        console.error(`${path} asked in ${RECORD.ms / 1000} s for ${told || 'nothing'}`);
      }
      return recordings;
    } finally {
      await browser.close();
    }
  }

  async function measured(ms: number, open: readonly OpenPage[]) {
    const pids = {
      daemon: appliance.daemonPid(),
      postgres: Number(readFileSync(join(directory, 'cluster/postmaster.pid'), 'utf8').split('\n')[0]),
    };
    const events = async () =>
      (await db.query<{ n: number }>('select max(id)::int as n from event')).rows[0]!.n;
    const requests = () => open.reduce((sum, page) => sum + page.requests, 0);
    const before = {
      daemon: cpuMs(pids.daemon),
      postgres: cpuMs(pids.postgres),
      events: await events(),
      requests: requests(),
    };
    const began = performance.now();
    let mb = 0;
    while (performance.now() - began < ms) {
      mb = Math.max(mb, pssMb(pids.daemon));
      await delay(500);
    }
    const took = performance.now() - began;
    const share = (now: number, then: number) => Math.round(((now - then) / took) * 1000) / 10;
    return {
      mb,
      daemon: share(cpuMs(pids.daemon), before.daemon),
      postgres: share(cpuMs(pids.postgres), before.postgres),
      events: ((await events()) - before.events) / (took / 1000),
      requests: (requests() - before.requests) / (took / 1000),
    };
  }

  /** Each has seen all that happened since it was opened and that its person may know of, once and in order. */
  async function assertEachOnce(open: readonly OpenPage[], shown: readonly string[]): Promise<void> {
    const { rows } = await db.query<{ id: string; project: number | null }>(
      `select xid::text || '-' || id as id, project from event order by event.xid, event.id`,
    );
    for (const [n, page] of open.entries()) {
      const own = personOf(shown[n]!, n) < ALL_PROJECTS ? rows : rows.filter(({ project }) => project === 1);
      const wanted = own.map(({ id }) => id).slice(-page.seen.length);
      assert.deepEqual(page.seen, wanted, `page ${n} saw something else`);
      const before = own.at(-page.seen.length - 1);
      assert.ok(
        before === undefined || BigInt(before.id.split('-')[0]!) < BigInt(page.from.split('-')[0]!),
        `page ${n} missed its first`,
      );
    }
  }
} finally {
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}
