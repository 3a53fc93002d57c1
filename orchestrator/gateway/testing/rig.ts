// A gateway in front of a fake engine, with a live run, for the gateway's tests.
import { testDatabase } from '../../../test/support/database.ts';
import type { Database } from '../../db/connect.ts';
import { catalogue } from '../../models/catalogue.ts';
import type { Catalogue, CatalogueOptions } from '../../models/catalogue.ts';
import type { UpstreamTimeouts } from '../../models/engine/upstream.ts';
import type { GuardLimits } from '../guards.ts';
import { startGateway } from '../server.ts';
import type { Gateway, GatewayOptions } from '../server.ts';
import { fakeEngine } from '../../models/testing/fake-engine.ts';
import type { FakeEngine } from '../../models/testing/fake-engine.ts';
import { liveRun } from './live-run.ts';

export interface Rig extends AsyncDisposable {
  db: Database;
  engine: FakeEngine;
  catalogue: Catalogue;
  gateway: Gateway;
  run: string;
  key: string;
  /** What the gateway logged above debug. */
  logged: string[];
  /** A POST with the run's key. */
  post(path: string, body: object | string, init?: PostOptions): Promise<Response>;
  /** The run's recorded calls, oldest first. */
  calls(): Promise<Record<string, unknown>[]>;
}

export const PRICE = { input: 3, cached: 0.3, output: 15 };

const UPSTREAM = { kind: 'upstream', queue: 100, queueSeconds: 30 } as const;

interface PostOptions {
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

interface RigOptions {
  roles?: CatalogueOptions['roles'];
  guards?: Partial<GuardLimits>;
  callsPerMinute?: number;
  timeouts?: Partial<UpstreamTimeouts>;
  /** The engines of the configuration, given the address of the fake one. */
  engines?: (url: string) => CatalogueOptions['engines'];
  recordingDirectories?: string[];
  prompts?: GatewayOptions['prompts'];
  /** Models of the appliance's own, and who runs them. */
  own?: CatalogueOptions['own'];
  supervisor?: GatewayOptions['supervisor'];
}

/** Starts database, engine and gateway; disposing stops them in the other order. */
export async function gatewayRig({
  engines,
  roles,
  guards,
  recordingDirectories = [],
  own,
  ...options
}: RigOptions = {}): Promise<Rig> {
  const database = await testDatabase();
  const db = database.pool;
  const engine = await fakeEngine();
  const logged: string[] = [];
  const log = (message: string) => void logged.push(message);
  const models = [{ name: 'small', upstreamModel: 'vendor/Small', price: PRICE }, { name: 'dear' }];
  const offered = catalogue({
    engines: engines?.(engine.url) ?? [
      {
        ...UPSTREAM,
        name: 'fake',
        url: engine.url,
        protocols: ['chat', 'responses', 'messages'],
        apiKeySecret: 'engine-key',
        models,
      },
      {
        ...UPSTREAM,
        name: 'talker',
        url: engine.url,
        protocols: ['chat'],
        models: [{ name: 'only-chat' }],
      },
      {
        ...UPSTREAM,
        name: 'away',
        url: 'http://127.0.0.1:9',
        protocols: ['chat', 'responses', 'messages'],
        models: [{ name: 'nobody' }],
      },
    ],
    ceilingPrice: { input: 15, cached: 1.5, output: 75 },
    recordingDirectories,
    ...(roles === undefined ? {} : { roles }),
    ...(own === undefined ? {} : { own }),
  });
  const gateway = await startGateway({
    host: '127.0.0.1',
    port: 'auto',
    db,
    catalogue: offered,
    books: { timeZone: 'UTC', currency: 'EUR' },
    guards: { callsPerRun: 1000, tokensPerRun: 1e9, sameRequests: 50, sameToolCalls: 16, ...guards },
    secrets: { get: async (name) => `secret of ${name}` },
    log: { debug: () => {}, warn: log, error: log },
    ...options,
  });
  const { run, key } = await liveRun(db);
  return {
    db,
    engine,
    catalogue: offered,
    gateway,
    run,
    key,
    logged,
    post: (path, body, init = {}) =>
      fetch(`${gateway.url}${path}`, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...init,
        headers: { authorization: `Bearer ${key}`, ...init.headers },
      }),
    calls: async () => (await db.query(`select * from model_call order by id`)).rows,
    async [Symbol.asyncDispose]() {
      await gateway.stop();
      await engine[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}
