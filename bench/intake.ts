// Webhooks: 200 deliveries a second for a minute, 30 % of them repeated and all out of order, then 10,000 at once; how long an
// answer takes, also to a forge, and whether each is accounted for. Arguments are other seconds, and another count at once.
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import type { IntakeDelivery } from '../protocol/intake.ts';
import { benchDaemon, percentile } from './support/measure.ts';
import { report } from './report.ts';

const RATE = 200;
const SECONDS = Number(process.argv[2] ?? 60);
const BURST = Number(process.argv[3] ?? 10_000);
const AT_ONCE = 64;
const TICK_MS = 50;
const WORK_MS = 600_000;
const FORGE_SECRET = 'of the forge';

const key = randomBytes(32);
await using daemon = await benchDaemon();
const agent = new Agent({ connections: AT_ONCE });
await daemon.api('POST', '/projects', { name: 'shop', agent: 'command', agentCommand: ['true'] });
await daemon.api('POST', '/intake/sources', {
  name: 'load',
  kind: 'webhook',
  project: 'shop',
  secret: `whsec_${key.toString('base64')}`,
  settings: { key: '{/id}' },
  trust: { actors: [], perHour: 100_000, perActorPerHour: 100_000 },
});

await daemon.api('POST', '/forges', {
  name: 'bench',
  kind: 'github',
  url: 'https://github.example.com',
  token: 'x',
  webhookSecret: FORGE_SECRET,
});
await daemon.api('POST', '/intake/sources', {
  name: 'forge',
  kind: 'forge',
  settings: { forge: 'bench', pollSeconds: null, answers: false },
});

const steady = deliveries(RATE * SECONDS);
const times: number[] = [];
await atRate(steady, async (load) => await send(load, times));
const forgeTimes: number[] = [];
await atRate(
  deliveries(Math.ceil((RATE * SECONDS) / 6)),
  async ({ name }) => await tellAsForge(name, forgeTimes),
);
const burst = deliveries(BURST);
const burstTimes: number[] = [];
const left = [...burst];
const senders = Array.from({ length: AT_ONCE }, async () => {
  for (let next = left.pop(); next !== undefined; next = left.pop()) await send(next, burstTimes);
});
const burstBegan = performance.now();
await Promise.all(senders);
const burstSeconds = (performance.now() - burstBegan) / 1000;
const worked = await untilWorked();
const all = await everyDelivery();
await agent.close();

const wanted = new Set([...steady, ...burst].map(({ id }) => id)).size;
const items = all.flatMap((each) => each.items);
const created = items.filter(({ verdict }) => verdict === 'created');
const came = all.reduce((sum, { repeats }) => sum + repeats + 1, 0);
const accounted = items.length === all.length && all.every(({ state }) => state === 'done');
console.error(
  `${steady.length} deliveries at ${RATE}/s: p50 ${percentile(times, 0.5).toFixed(1)} ms, p99 ${percentile(times, 0.99).toFixed(1)} ms; of a forge p50 ${percentile(forgeTimes, 0.5).toFixed(1)} ms, p99 ${percentile(forgeTimes, 0.99).toFixed(1)} ms; ` +
    `${BURST} at once: ${burstSeconds.toFixed(1)} s, p99 ${percentile(burstTimes, 0.99).toFixed(0)} ms; worked on ${worked.toFixed(1)} s after the last; ` +
    `${created.length} tasks of ${wanted} things, ${items.length - created.length} duplicates, ${came} deliveries`,
);
report('intake', [
  { name: 'answer to a webhook at 200/s, p99', value: percentile(times, 0.99), unit: 'ms', atMost: 100 },
  { name: 'answer to a forge at 200/s, p99', value: percentile(forgeTimes, 0.99), unit: 'ms', atMost: 50 },
  {
    name: 'tasks missing',
    value: wanted - new Set(created.map(({ task }) => task)).size,
    unit: 'tasks',
    atMost: 0,
  },
  { name: 'tasks too many', value: created.length - wanted, unit: 'tasks', atMost: 0 },
  {
    name: 'deliveries not accounted for',
    value: steady.length + burst.length - came + (accounted ? 0 : 1),
    unit: 'deliveries',
    atMost: 0,
  },
]);

interface Load {
  id: string;
  name: string;
}

async function atRate(loads: Load[], sendOne: (load: Load) => Promise<void>): Promise<void> {
  const under: Promise<void>[] = [];
  const began = performance.now();
  for (let sent = 0; sent < loads.length; await delay(TICK_MS)) {
    const due = Math.min(loads.length, Math.ceil(((performance.now() - began) / 1000) * RATE));
    for (; sent < due; sent++) under.push(sendOne(loads[sent]!));
  }
  await Promise.all(under);
}

/** Of ten there are seven things; a repeated one comes under its own name again, or under another. Shuffled. */
function deliveries(count: number): Load[] {
  const made: Load[] = [];
  while (made.length < count) {
    const again = made.length % 10 >= 7 ? made[made.length - 1 - Math.floor(Math.random() * 7)] : undefined;
    const name = again !== undefined && Math.random() < 0.5 ? again.name : randomUUID();
    made.push({ id: again?.id ?? randomUUID(), name });
  }
  return made.toSorted(() => Math.random() - 0.5);
}

async function send({ id, name }: Load, into: number[]): Promise<void> {
  const body = JSON.stringify({ id, title: `The thing ${id}`, body: 'x'.repeat(1500) });
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = createHmac('sha256', key).update(`${name}.${timestamp}.${body}`).digest('base64');
  const sentAt = performance.now();
  const answer = await request(`${daemon.url}/api/v1/intake/hooks/load`, {
    method: 'POST',
    dispatcher: agent,
    headers: {
      'content-type': 'application/json',
      'webhook-id': name,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signature}`,
    },
    body,
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 202) throw new Error(`${answer.statusCode} ${text}`);
  into.push(performance.now() - sentAt);
}

/** A pull request as GitHub tells of it, signed. */
async function tellAsForge(id: string, into: number[]): Promise<void> {
  const pullRequest = { number: 4711, head: { ref: 'main' }, body: 'x'.repeat(8000) };
  const body = JSON.stringify({ action: 'opened', pull_request: pullRequest });
  const signature = createHmac('sha256', FORGE_SECRET).update(body).digest('hex');
  const sentAt = performance.now();
  const answer = await request(`${daemon.url}/api/v1/webhooks/github/bench`, {
    method: 'POST',
    dispatcher: agent,
    headers: {
      'content-type': 'application/json',
      'x-github-delivery': id,
      'x-github-event': 'pull_request',
      'x-hub-signature-256': `sha256=${signature}`,
    },
    body,
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 204) throw new Error(`${answer.statusCode} ${text}`);
  into.push(performance.now() - sentAt);
}

/** Seconds until nothing waits any more. */
async function untilWorked(): Promise<number> {
  const from = performance.now();
  for (;;) {
    const { waiting } = await daemon.api<{ waiting: number }>('GET', '/intake/sources/load');
    const waited = performance.now() - from;
    if (waiting === 0) return waited / 1000;
    if (waited > WORK_MS) throw new Error(`${waiting} deliveries wait still`);
    await delay(200);
  }
}

async function everyDelivery(): Promise<IntakeDelivery[]> {
  const all: IntakeDelivery[] = [];
  for (let before = ''; ;) {
    const page = await daemon.api<IntakeDelivery[]>(
      'GET',
      `/intake/deliveries?source=load&limit=1000${before}`,
    );
    all.push(...page);
    if (page.length === 0) return all;
    before = `&before=${page.at(-1)!.id}`;
  }
}
