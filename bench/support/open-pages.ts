// Open pages without browsers: what a real page asked for in a while, asked again by many clients that each read the stream of events.
// So they ask exactly what the page asks, whatever that becomes. Used by the benchmark of open pages.
import { Agent, request as ask, type IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { openPage, signedIn } from '../../test/support/browser.ts';
import type { Appliance } from '../../test/e2e/appliance.ts';

/** One request of a page, and when it came after the recording began. */
export interface Asked {
  path: string;
  atMs: number;
}

/** Opens pages in a browser and writes down what each asks for, from some seconds after they were opened. */
export async function recordPages(
  appliance: Appliance,
  browser: Browser,
  paths: readonly string[],
  { settleMs, ms }: { settleMs: number; ms: number },
): Promise<Map<string, Asked[]>> {
  const { page: first } = await signedIn(appliance, browser);
  const storageState = await first.context().storageState();
  await first.context().close();
  const recorded = new Map<string, Asked[]>();
  const pages = await Promise.all(
    paths.map(async (path) => {
      const { page } = await openPage(browser, { storageState });
      await page.goto(`${appliance.url()}${path}`);
      await page.getByText('Live', { exact: true }).first().waitFor({ state: 'attached' });
      return { path, page };
    }),
  );
  await delay(settleMs);
  const began = performance.now();
  for (const { path, page } of pages) {
    const asked: Asked[] = [];
    recorded.set(path, asked);
    page.on('request', (request) => {
      const url = new URL(request.url());
      const isStream = request.headers()['accept'] === 'text/event-stream';
      if (url.pathname.startsWith('/api/') && !isStream)
        asked.push({ path: url.pathname + url.search, atMs: performance.now() - began });
    });
  }
  await delay(ms);
  for (const { page } of pages) page.removeAllListeners('request');
  await Promise.all(pages.map(async ({ page }) => await page.context().close()));
  return recorded;
}

/** What a client has seen. */
export interface OpenPage {
  /** Cursors of all events, in the order in which they came. */
  seen: string[];
  /** The cursor at which the stream began. */
  from: string;
  /** Milliseconds from each event's time to its arrival. */
  delays: number[];
  requests: number;
  /** Requests that were not answered with what they asked for. */
  refused: string[];
  stop(): void;
}

/** Reads the stream of events as a page does, and asks for what was recorded, again and again from a place of its own. */
export async function openPageOf(
  url: string,
  cookie: string,
  recording: readonly Asked[],
  { loopMs, offsetMs }: { loopMs: number; offsetMs: number },
): Promise<OpenPage> {
  const agent = new Agent({ keepAlive: true, maxSockets: 5 }); // a browser has six to a place, and one is the stream's
  const stop = new AbortController();
  const headers = { cookie, 'sec-fetch-site': 'same-origin' };
  const open: OpenPage = {
    seen: [],
    from: '',
    delays: [],
    requests: 0,
    refused: [],
    stop: () => {
      stop.abort();
      agent.destroy();
    },
  };
  const stream = ask(`${url}/api/v1/events?after=latest`, {
    headers: { ...headers, accept: 'text/event-stream' },
    agent: false,
    signal: stop.signal,
  });
  const begun = new Promise<void>((resolve, reject) => {
    stream.on('error', reject);
    stream.on('response', (answer) => {
      if (answer.statusCode === 200) readEvents(answer, open, resolve);
      else reject(new Error(`the stream answered ${answer.statusCode}`));
    });
  });
  stream.end();
  await begun;
  void (async () => {
    const order = recording.map(({ path, atMs }) => ({ path, at: (atMs + offsetMs) % loopMs }));
    order.sort((a, b) => a.at - b.at);
    const began = performance.now();
    for (let round = 0; order.length > 0; round++) {
      for (const { path, at } of order) {
        await delay(Math.max(0, began + round * loopMs + at - performance.now()), undefined, {
          signal: stop.signal,
        });
        open.requests += 1;
        void statusOf(url + path, { headers, agent, signal: stop.signal }).then(
          (status) => status === 200 || open.refused.push(`${status} ${path}`),
          (error) => stop.signal.aborted || open.refused.push(`${error.code ?? error} ${path}`),
        );
      }
    }
  })().catch(() => {}); // it was stopped
  return open;
}

function readEvents(answer: IncomingMessage, open: OpenPage, begun: () => void): void {
  let rest = '';
  answer.setEncoding('utf8');
  answer.on('error', () => {}); // it was stopped
  answer.on('data', (text: string) => {
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop()!;
    const now = Date.now();
    for (const block of blocks) {
      const [, id, kind, data] = /^id: (\S+)\nevent: (\S+)\ndata: (.*)/.exec(block) ?? [];
      if (id === undefined) continue;
      if (kind === 'latest') {
        open.from = id;
        begun();
      } else {
        open.seen.push(id);
        open.delays.push(now - Date.parse((JSON.parse(data!) as { at: string }).at));
      }
    }
  });
}

async function statusOf(
  url: string,
  options: { headers: Record<string, string>; agent: Agent; signal: AbortSignal },
): Promise<number> {
  return await new Promise((resolve, reject) => {
    ask(url, options, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode!));
      answer.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}
