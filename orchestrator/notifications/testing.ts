// What tests of notifications work with: a receiver over real HTTP that answers as it is told, and channels to it.
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { NotificationSettings } from '../config/notification-settings.ts';
import type { Database } from '../db/connect.ts';
import { settledEvents } from '../events/testing/settled.ts';
import type { DeliveryDeps } from './deliveries.ts';
import { takeEvents } from './take.ts';

export const KEY = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Receiver extends AsyncDisposable {
  url: string;
  received: Received[];
  /** Answers of the next requests, in their order; 204 afterwards. */
  answers: ((response: ServerResponse) => void)[];
}

/** Starts a receiver on loopback. */
export async function receiver(): Promise<Receiver> {
  const received: Received[] = [];
  const answers: Receiver['answers'] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    received.push({ path: request.url ?? '', headers: request.headers, body });
    const answer = answers.shift();
    if (answer === undefined) response.writeHead(204).end();
    else answer(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answers,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Two channels to it: `hook`, signed, and `ops`, as Slack has it. */
export function depsFor(db: Database, url: string, more: object = {}): DeliveryDeps {
  const values: Record<string, string> = { 'notify-hook': KEY, 'slack-url': `${url}/services/T0/B0/secret` };
  return {
    db,
    secrets: {
      get: async (name) => (values[name] === undefined ? undefined : { value: values[name], version: 1 }),
      put: async (name, value) => ((values[name] = value), 1),
    },
    settings: NotificationSettings.parse({
      ...more,
      channels: [
        { name: 'hook', kind: 'webhook', url: `${url}/hook` },
        { name: 'ops', kind: 'slack', secret: 'slack-url', forPeople: true },
      ],
    }),
    publicUrl: 'https://autocode.example/',
    log: { warn: () => {} },
    clean: (given) => given.replaceAll('hunter2', '[secret]'),
  };
}

/** Reads all events that were emitted. */
export async function takeAll(db: Database, settings = NotificationSettings.parse({})): Promise<void> {
  await settledEvents(db);
  await takeEvents(db, settings, new AbortController().signal);
}

/** Has what is held, or waits for another try, go out at once. */
export async function hurry(db: Database): Promise<void> {
  await db.query(`update notification_delivery set retry_at = now() where state in ('held','waiting')`);
}

/** Quiet hours from an hour ago to an hour from now. */
export async function quietNow(db: Database): Promise<{ from: string; to: string }> {
  const { rows } = await db.query<{ from: string; to: string }>(
    `select to_char(now() at time zone 'UTC' - interval '1 h', 'HH24:MI') as from,
       to_char(now() at time zone 'UTC' + interval '1 h', 'HH24:MI') as to`,
  );
  return rows[0]!;
}
